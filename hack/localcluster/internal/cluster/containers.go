package cluster

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
)

// PauseImage is the cluster's own image; see servers/podtool.
const PauseImage = "localhost/localcluster/podtool:v1"

func (c *Cluster) ctr(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ctr", append([]string{"--address", c.RunDir() + "/containerd.sock", "--namespace", "k8s.io"}, args...)...)
}

// HasImage reports whether containerd holds an image of that name and, unless digest is
// empty, with that manifest: a rebuilt image has the name of the old one.
func (c *Cluster) HasImage(ctx context.Context, ref, digest string) (bool, error) {
	filter := "name==" + ref
	if digest != "" {
		filter += ",target.digest==" + digest
	}
	out, err := c.ctr(ctx, "images", "list", "--quiet", filter).Output()
	if err != nil {
		return false, fmt.Errorf("ask containerd for %s: %w; is the cluster up? (localcluster status)", ref, err)
	}
	return strings.TrimSpace(string(out)) == ref, nil
}

// Load streams an OCI or docker archive into containerd.
func (c *Cluster) Load(ctx context.Context, archive io.Reader) (string, error) {
	if _, alive := c.Table().Get("containerd"); !alive {
		return "", fmt.Errorf("cluster %s has no running containerd: `localcluster up` starts it (as root, without --no-node)", c.Name)
	}
	// Without --no-unpack the layers are unpacked at once, not when the first pod starts.
	cmd := c.ctr(ctx, "images", "import", "-")
	cmd.Stdin = archive
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("import the archive: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

// ensurePause imports the pause image, without which no pod starts.
func (c *Cluster) ensurePause(ctx context.Context, p build.Programs) error {
	var listed error
	err := until(ctx, 20*time.Second, func(ctx context.Context) error {
		_, listed = c.HasImage(ctx, PauseImage, "")
		return listed
	})
	if err != nil {
		return fmt.Errorf("containerd does not answer: see `localcluster logs containerd` (%w)", err)
	}
	// Always: importing 2 MB again costs less than to tell whether the program has changed.
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(writeImage(writer, PauseImage, p.Path("podtool"))) }()
	_, err = c.Load(ctx, reader)
	return err
}

// removeContainers forgets the containers of an earlier cluster with their files, and reports whether
// there were any: containerd's store outlives the cluster and would keep them for ever.
func (c *Cluster) removeContainers(ctx context.Context) (bool, error) {
	tasks, err := c.ctr(ctx, "tasks", "list", "--quiet").Output()
	if err != nil {
		return false, fmt.Errorf("list tasks: %w", err)
	}
	if ids := strings.Fields(string(tasks)); len(ids) > 0 {
		_ = c.ctr(ctx, append([]string{"tasks", "delete", "--force"}, ids...)...).Run()
	}
	containers, err := c.ctr(ctx, "containers", "list", "--quiet").Output()
	if err != nil {
		return false, fmt.Errorf("list containers: %w", err)
	}
	ids := strings.Fields(string(containers))
	if len(ids) > 0 {
		if out, err := c.ctr(ctx, append([]string{"containers", "delete"}, ids...)...).CombinedOutput(); err != nil {
			return true, fmt.Errorf("delete containers: %w: %s", err, strings.TrimSpace(string(out)))
		}
	}
	return len(ids) > 0, c.collectGarbage(ctx)
}

// collectGarbage frees what no image and no container needs. containerd does that by itself after a hundred
// changes, which a short-lived cluster does not reach; only the synchronous removal of an image asks for it.
func (c *Cluster) collectGarbage(ctx context.Context) error {
	const tag = "localhost/localcluster/garbage:v1"
	for _, args := range [][]string{{"tag", "--force", PauseImage, tag}, {"remove", "--sync", tag}} {
		if out, err := c.ctr(ctx, append([]string{"images"}, args...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("collect containerd's garbage: %w: %s", err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
