package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync"
)

// Fault is a misbehaviour that a test asks for with POST /_faults, on downloads of one repository, or on one step of
// uploads to it.
type Fault struct {
	// Repo is ORG/NAME, for a dataset datasets/ORG/NAME, and "packages" for the files of the package index.
	Repo string `json:"repo"`
	// File is a glob on the path of the downloaded file, "" for all files.
	File string `json:"file,omitempty"`
	// Upload is the step of an upload that it strikes instead of downloads: create, preupload, batch (the LFS API), lfs
	// (the bytes of one object) or commit.
	Upload string `json:"upload,omitempty"`
	// BytesPerSecond slows each body down, 0 for full speed.
	BytesPerSecond int64 `json:"bytesPerSecond,omitempty"`
	// BreakAfterBytes cuts the connection after so many bytes of a body, 0 for never.
	BreakAfterBytes int64 `json:"breakAfterBytes,omitempty"`
	// Status answers with this HTTP status instead, 0 for none.
	Status int `json:"status,omitempty"`
	// RetryAfter is sent with Status in the header of that name, in seconds, when above 0.
	RetryAfter int `json:"retryAfter,omitempty"`
	// LoseAnswer cuts the connection when the step of an upload is done, so that the client does not learn of it.
	LoseAnswer bool `json:"loseAnswer,omitempty"`
	// Times is how often it strikes before it is gone, 0 for always until DELETE /_faults.
	Times int `json:"times,omitempty"`
}

type faults struct {
	mu   sync.Mutex
	list []*Fault
}

// steps are what Fault.Upload can be.
var steps = []string{"", "create", "preupload", "batch", "lfs", "commit"}

// strike returns the first fault for a step of an upload, or for the download of a file where that is "", and counts
// it; or nil.
func (f *faults) strike(repo, step, name string) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.list {
		if fault.Repo != repo || fault.Upload != step || !fault.matches(name) {
			continue
		}
		struck := *fault
		if fault.Times > 0 {
			if fault.Times--; fault.Times == 0 {
				f.list = slices.Delete(f.list, i, i+1)
			}
		}
		return &struck
	}
	return nil
}

func (f *Fault) matches(name string) bool {
	if f.File == "" {
		return true
	}
	ok, _ := path.Match(f.File, name)
	return ok
}

// check refuses what would never strike.
func (f *Fault) check() error {
	switch {
	case f.Repo == "":
		return errors.New("it has no repo")
	case !slices.Contains(steps, f.Upload):
		return fmt.Errorf("upload is %q, not one of %s", f.Upload, strings.Join(steps[1:], ", "))
	case f.Upload != "" && f.File != "":
		return errors.New("file is of downloads only")
	case f.Upload == "" && f.LoseAnswer:
		return errors.New("loseAnswer is of uploads only")
	}
	return nil
}

// fromHere serves callers on this machine only: the Hub's address is reached from outside, and by pods. A packet
// from the machine to its own outward address comes from that address; one that comes in cannot.
func fromHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := netip.ParseAddrPort(r.RemoteAddr)
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if err != nil || local == nil || !isHere(caller.Addr(), local) {
			fail(w, http.StatusForbidden, "", "faults are played for callers on the Hub's own machine only")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isHere(caller netip.Addr, local net.Addr) bool {
	if caller.Unmap().IsLoopback() {
		return true
	}
	mine, err := netip.ParseAddrPort(local.String())
	return err == nil && caller.Unmap() == mine.Addr().Unmap()
}

// ServeHTTP lists (GET), adds (POST) and clears (DELETE) faults.
func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		var fault Fault
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&fault)
		if err == nil {
			err = fault.check()
		}
		if err != nil {
			http.Error(w, fmt.Sprintf("no fault that can be played: %v", err), http.StatusBadRequest)
			return
		}
		f.mu.Lock()
		f.list = append(f.list, &fault)
		f.mu.Unlock()
	case http.MethodDelete:
		f.mu.Lock()
		f.list = nil
		f.mu.Unlock()
	case http.MethodGet:
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	writeJSON(w, append([]*Fault{}, f.list...))
}
