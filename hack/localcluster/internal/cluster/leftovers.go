package cluster

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// removeCreated removes the folders outside the state directory that were not there before `up`, except where
// somebody else has put something since: Docker or a kubelet may have been installed meanwhile.
func (c *Cluster) removeCreated(log io.Writer) error {
	for _, dir := range c.Created {
		foreign, err := c.foreignIn(dir)
		if err != nil {
			return err
		}
		if foreign != "" {
			fmt.Fprintf(log, "kept %s: %s is not of this cluster\n", dir, foreign)
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// foreignIn is the first thing in a folder that is not this cluster's, or "".
func (c *Cluster) foreignIn(dir string) (string, error) {
	foreign := ""
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		if !c.left(path, entry.Type()) {
			foreign = path
			return fs.SkipAll
		}
		return nil
	})
	return foreign, err
}

// left reports whether a file was left by this cluster's containerd or kubelet, which have ended: it says so by
// naming one of the cluster's folders, or is a socket that nobody listens on.
func (c *Cluster) left(path string, kind fs.FileMode) bool {
	switch kind {
	case fs.ModeSocket:
		conn, err := net.Dial("unix", path)
		if err == nil {
			conn.Close()
		}
		return err != nil
	case fs.ModeSymlink:
		target, err := os.Readlink(path)
		return err == nil && strings.HasPrefix(target, c.State+"/")
	case 0:
		file, err := os.Open(path)
		if err != nil {
			return false
		}
		defer file.Close()
		// What pods leave is a few kilobytes of JSON.
		data, err := io.ReadAll(io.LimitReader(file, 1<<20))
		return err == nil && (bytes.Contains(data, []byte(c.RunDir()+"/")) || bytes.Contains(data, []byte(c.State+"/")))
	}
	return false
}
