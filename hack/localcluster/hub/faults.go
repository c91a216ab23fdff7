package hub

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"sync"
	"time"
)

// Fault is a misbehaviour that a test asks for with POST /_faults, on downloads of one repository.
type Fault struct {
	// Repo is ORG/NAME; File a glob on the file's path, "" for all files.
	Repo string `json:"repo"`
	File string `json:"file,omitempty"`
	// BytesPerSecond slows each download down, 0 for full speed.
	BytesPerSecond int64 `json:"bytesPerSecond,omitempty"`
	// BreakAfterBytes cuts the connection after so many bytes of a body, 0 for never.
	BreakAfterBytes int64 `json:"breakAfterBytes,omitempty"`
	// Status answers with this HTTP status instead of the file, 0 for none.
	Status int `json:"status,omitempty"`
	// RetryAfter is sent with Status in the header of that name, in seconds, when above 0.
	RetryAfter int `json:"retryAfter,omitempty"`
	// Times is how many downloads it strikes before it is gone, 0 for all until DELETE /_faults.
	Times int `json:"times,omitempty"`
}

type faults struct {
	mu   sync.Mutex
	list []*Fault
}

// strike returns the first fault for a file and counts it, or nil.
func (f *faults) strike(repo, name string) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.list {
		if fault.Repo != repo || !fault.matches(name) {
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
		if err := decoder.Decode(&fault); err != nil || fault.Repo == "" {
			http.Error(w, fmt.Sprintf("want a fault with a repo: %v", err), http.StatusBadRequest)
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

// faultyWriter sends a body at the fault's speed and panics with http.ErrAbortHandler, which
// closes the connection, when the fault says that it breaks.
type faultyWriter struct {
	http.ResponseWriter
	fault *Fault
	sent  int64
}

func (w *faultyWriter) Write(p []byte) (int, error) {
	total := 0
	for len(p) > 0 {
		n := int64(len(p))
		if rate := w.fault.BytesPerSecond; rate > 0 {
			// A tenth of a second's worth at a time, so that progress is seen to move.
			n = min(n, max(1, rate/10))
		}
		if limit := w.fault.BreakAfterBytes; limit > 0 {
			if w.sent >= limit {
				// Flushed first, so that the client has the bytes that came before the break.
				_ = http.NewResponseController(w.ResponseWriter).Flush()
				panic(http.ErrAbortHandler)
			}
			n = min(n, limit-w.sent)
		}
		m, err := w.ResponseWriter.Write(p[:n])
		total += m
		w.sent += int64(m)
		if err != nil {
			return total, err
		}
		p = p[n:]
		if rate := w.fault.BytesPerSecond; rate > 0 {
			_ = http.NewResponseController(w.ResponseWriter).Flush()
			time.Sleep(time.Duration(float64(m) / float64(rate) * float64(time.Second)))
		}
	}
	return total, nil
}
