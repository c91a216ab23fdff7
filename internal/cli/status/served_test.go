package status

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/vllm"
)

// roundTrip stands for the ready pods of a release.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func answer(code int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// well answers as vLLM does.
func well(req *http.Request) (*http.Response, error) {
	if req.URL.Path == "/version" {
		return answer(200, `{"version":"0.32.0"}`)
	}
	return answer(200, `{"data":[{"id":"org/model","max_model_len":8192},{"id":"lora","parent":"org/model"}]}`)
}

func hang(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func TestAsk(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods/portforward"}, "r-0", errors.New("no right"))
	tests := map[string]struct {
		pods    []roundTrip // who is asked first, and then; the last for good
		model   string
		says    string
		unasked bool
		within  time.Duration
	}{
		"well":                     {[]roundTrip{well}, "org/model", "", false, 0},
		"the first is just going":  {[]roundTrip{func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }, well}, "org/model", "", false, askPause},
		"it says that it is going": {[]roundTrip{func(*http.Request) (*http.Response, error) { return answer(503, `{"error":{"message":"draining"}}`) }, well}, "org/model", "", false, askPause},
		"the first hangs":          {[]roundTrip{hang, well}, "org/model", "", false, askTimeout + askPause},
		"all hang":                 {[]roundTrip{hang}, "", "it did not answer within 5s, asked 3 times", false, 3*askTimeout + 2*askPause},
		"nobody listens":           {[]roundTrip{func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }}, "", "connection refused", false, 2 * askPause},
		"no right":                 {[]roundTrip{func(*http.Request) (*http.Response, error) { return nil, forbidden }}, "", "you may not do this", true, 0},
		"another kind of server":   {[]roundTrip{func(*http.Request) (*http.Response, error) { return answer(404, "nothing here") }}, "", "404", false, 0},
		"one that tells no version": {[]roundTrip{func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/version" {
				return answer(404, "")
			}
			return well(req)
		}}, "org/model", "", false, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, asked := time.Now(), 0
				server, err := vllm.New("http://r", roundTrip(func(req *http.Request) (*http.Response, error) {
					pod := tt.pods[min(asked, len(tt.pods)-1)]
					if req.URL.Path == "/v1/models" {
						asked++
					}
					return pod(req)
				}))
				if err != nil {
					t.Fatal(err)
				}
				s := ask(t.Context(), server, "")
				if s.Model != tt.model || !strings.Contains(s.Error, tt.says) || (s.Error == "") != (tt.says == "") || s.unasked != tt.unasked {
					t.Errorf("%+v", s)
				}
				if took := time.Since(start); took != tt.within {
					t.Errorf("it took %s, want %s", took, tt.within)
				}
			})
		})
	}
}

func TestAskEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		server, err := vllm.New("http://r", roundTrip(hang))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		time.AfterFunc(time.Second, cancel)
		if s := ask(ctx, server, ""); s.Error == "" || time.Since(start) != time.Second {
			t.Errorf("%+v after %s", s, time.Since(start))
		}
	})
}
