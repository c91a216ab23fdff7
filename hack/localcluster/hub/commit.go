package hub

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
)

// Limits on what clients send, in bytes.
const (
	maxJSON   = 4 << 20
	maxCommit = 64 << 20
	// maxObject is what S3 takes in one piece; the Hub has larger files sent in several.
	maxObject = 5 << 30
)

// The keys of a commit's lines.
const (
	opHeader       = "header"
	opFile         = "file"
	opLFSFile      = "lfsFile"
	opDeleteFile   = "deletedFile"
	opDeleteFolder = "deletedFolder"
)

// change is a commit as a client asks for it.
type change struct {
	summary string
	// parent is the commit that the client has seen last, "" when it does not mind.
	parent     string
	operations []operation
}

// operation is one line of a commit after its header.
type operation struct {
	key  string
	Path string `json:"path"`
	// Content is of a file that is not LFS; JSON has it in base64.
	Content  []byte `json:"content"`
	Encoding string `json:"encoding"`
	// Algo, OID and Size are of an LFS file, which was uploaded before.
	Algo string `json:"algo"`
	OID  string `json:"oid"`
	Size int64  `json:"size"`
}

// commit takes JSON lines: a header, then what changes.
func (s *server) commit(w http.ResponseWriter, r *http.Request) {
	found, err := s.writable(r)
	var wanted change
	if err == nil {
		wanted, err = readCommit(http.MaxBytesReader(w, r.Body, maxCommit))
	}
	var id string
	if err == nil {
		id, err = s.store.commit(found, r.PathValue("revision"), wanted)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, map[string]any{"success": true, "commitOid": id, "commitUrl": address(r) + "/" + found.name() + "/commit/" + id, "hookOutput": ""})
}

func readCommit(body io.Reader) (change, error) {
	var c change
	lines := json.NewDecoder(body)
	for number := 1; ; number++ {
		var line struct {
			Key   string          `json:"key"`
			Value json.RawMessage `json:"value"`
		}
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = c.add(line.Key, line.Value, number)
		}
		if err != nil {
			if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
				return c, err
			}
			return c, badRequest("line %d of the commit: %v", number, err)
		}
	}
	if c.summary == "" {
		return c, badRequest("the commit has no header with a summary")
	}
	return c, nil
}

func (c *change) add(key string, value []byte, number int) error {
	if (key == opHeader) != (number == 1) {
		return errors.New("a commit has one header, in its first line")
	}
	if key == opHeader {
		var header struct{ Summary, ParentCommit string }
		err := json.Unmarshal(value, &header)
		c.summary, c.parent = header.Summary, header.ParentCommit
		return err
	}
	op := operation{key: key}
	if err := json.Unmarshal(value, &op); err != nil {
		return err
	}
	if key == opDeleteFolder {
		op.Path = strings.TrimSuffix(op.Path, "/")
	}
	c.operations = append(c.operations, op)
	return op.check()
}

// check refuses what no repository can hold, whatever is in it.
func (o operation) check() error {
	switch {
	case o.key != opFile && o.key != opLFSFile && o.key != opDeleteFile && o.key != opDeleteFolder:
		return badRequest("this Hub knows no operation %q", o.key)
	case o.Path == "" || len(o.Path) > 1000 || o.Path != path.Clean(o.Path) || strings.HasPrefix(o.Path, "/") ||
		strings.ContainsAny(o.Path, "\\\x00") || hasPart(o.Path, "..") || hasPart(o.Path, ".git") || o.Path == ".":
		return badRequest("Invalid path: %q", o.Path)
	case o.key == opFile && o.Encoding != "base64":
		return badRequest(`"encoding" of %s is %q, not base64`, o.Path, o.Encoding)
	case o.key == opFile && len(o.Content) > lfsThreshold:
		return badRequest("Your push was rejected because it contains files larger than 10 MiB. Offending file: %s", o.Path)
	case o.key == opFile && o.Path == "README.md":
		return checkCard(o.Content)
	case o.key == opLFSFile && (o.Algo != "sha256" || !oidPattern.MatchString(o.OID)):
		return badRequest("%s is named by no sha256", o.Path)
	}
	return nil
}

func hasPart(name, part string) bool {
	for p := range strings.SplitSeq(name, "/") {
		if p == part {
			return true
		}
	}
	return false
}
