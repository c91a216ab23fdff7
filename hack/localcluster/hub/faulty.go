package hub

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// faultyDownload plays the fault that strikes a download: it answers with a status and returns false, or returns what
// to write the body to.
func (s *server) faultyDownload(w http.ResponseWriter, r *http.Request, repo, name string) (http.ResponseWriter, bool) {
	if r.Method != http.MethodGet {
		return w, true
	}
	fault := s.faults.strike(repo, "", name)
	if fault == nil {
		return w, true
	}
	if fault.Status != 0 {
		fault.answer(w)
		return w, false
	}
	return &faultyWriter{ResponseWriter: w, pace: pace{fault: fault}}, true
}

// faulty plays the faults that strike a step of uploads to the repository in a request's address.
func (s *server) faulty(step string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		target := repo{Kind: r.PathValue("kind"), ID: r.PathValue("org") + "/" + strings.TrimSuffix(r.PathValue("name"), ".git")}
		s.faulted(w, r, target.name(), step, next)
	}
}

func (s *server) faulted(w http.ResponseWriter, r *http.Request, repo, step string, next http.HandlerFunc) {
	fault := s.faults.strike(repo, step, "")
	switch {
	case fault == nil:
		next(w, r)
	case fault.Status != 0:
		fault.answer(w)
	default:
		r.Body = &faultyReader{ReadCloser: r.Body, pace: pace{fault: fault}}
		if fault.LoseAnswer {
			next(lost{}, r)
			panic(http.ErrAbortHandler)
		}
		next(w, r)
	}
}

// answer sends the fault's status.
func (f *Fault) answer(w http.ResponseWriter) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	fail(w, f.Status, "", http.StatusText(f.Status))
}

// lost is where an answer goes that the client does not get.
type lost struct{}

func (lost) Header() http.Header         { return http.Header{} }
func (lost) Write(p []byte) (int, error) { return len(p), nil }
func (lost) WriteHeader(int)             {}

// pace is how a fault lets a body through.
type pace struct {
	fault *Fault
	done  int64
}

// next is how many of n bytes may go at once, 0 when the connection is to break.
func (p *pace) next(n int64) int64 {
	if rate := p.fault.BytesPerSecond; rate > 0 {
		// A tenth of a second's worth at a time, so that progress is seen to move.
		n = min(n, max(1, rate/10))
	}
	if limit := p.fault.BreakAfterBytes; limit > 0 {
		n = min(n, limit-p.done)
	}
	return n
}

// moved counts bytes, and waits as long as they should have taken.
func (p *pace) moved(n int) {
	p.done += int64(n)
	if rate := p.fault.BytesPerSecond; rate > 0 {
		time.Sleep(time.Duration(float64(n) / float64(rate) * float64(time.Second)))
	}
}

// faultyWriter sends a body at the fault's pace and panics with http.ErrAbortHandler, which closes the connection, when
// the fault says that it breaks.
type faultyWriter struct {
	http.ResponseWriter
	pace
}

func (w *faultyWriter) Write(p []byte) (int, error) {
	total := 0
	for len(p) > 0 {
		n := w.next(int64(len(p)))
		if n == 0 {
			// Flushed first, so that the client has the bytes that came before the break.
			_ = http.NewResponseController(w.ResponseWriter).Flush()
			panic(http.ErrAbortHandler)
		}
		m, err := w.ResponseWriter.Write(p[:n])
		total += m
		if err != nil {
			return total, err
		}
		if w.fault.BytesPerSecond > 0 {
			_ = http.NewResponseController(w.ResponseWriter).Flush()
		}
		w.moved(m)
		p = p[n:]
	}
	return total, nil
}

// faultyReader takes a body likewise.
type faultyReader struct {
	io.ReadCloser
	pace
}

func (r *faultyReader) Read(p []byte) (int, error) {
	n := r.next(int64(len(p)))
	if n == 0 && len(p) > 0 {
		panic(http.ErrAbortHandler)
	}
	m, err := r.ReadCloser.Read(p[:n])
	r.moved(m)
	return m, err
}
