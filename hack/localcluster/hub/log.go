package hub

import (
	"log"
	"net/http"
	"time"
)

type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logged writes one line a request: whether it carried a token, never which.
func logged(next http.Handler, out *log.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		counting := &countingWriter{ResponseWriter: w, status: http.StatusOK}
		token := "no"
		if r.Header.Get("Authorization") != "" {
			token = "yes"
		}
		// Deferred, because a played break ends the handler with a panic.
		defer func() {
			out.Printf("%s %s %d %d bytes %.2f s token=%s", r.Method, r.URL.Path, counting.status, counting.bytes, time.Since(start).Seconds(), token)
		}()
		next.ServeHTTP(counting, r)
	})
}
