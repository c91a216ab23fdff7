package hub

import (
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
)

// Options are where a Hub finds what it serves.
type Options struct {
	// Root holds access.json and the repositories that were made beforehand; it is only read.
	Root string
	// Uploads holds what clients upload; empty for a Hub that takes nothing.
	Uploads string
	// Packages holds the files of a Python package index; empty for none.
	Packages string
}

type server struct {
	store    *store
	packages string
	faults   faults
	// secret signs the addresses that LFS objects are sent to, as S3's are signed.
	secret []byte
}

// Handler serves the Hub's API and logs each request to out. Tokens are never logged.
func Handler(o Options, out io.Writer) http.Handler { return newServer(o).handler(out) }

func newServer(o Options) *server {
	s := &server{store: newStore(o.Root, o.Uploads), packages: o.Packages, secret: make([]byte, 32)}
	_, _ = rand.Read(s.secret) // never fails
	return s
}

func (s *server) handler(out io.Writer) http.Handler {
	api, data, files, other := http.NewServeMux(), http.NewServeMux(), http.NewServeMux(), http.NewServeMux()
	s.routeAPI(api)
	s.routeFiles(data, datasets, "/datasets")
	s.routeFiles(files, models, "")
	other.Handle("/_faults", fromHere(&s.faults))
	other.HandleFunc("PUT "+objectPath+"{kind}/{org}/{name}/{oid}", s.faulty("lfs", s.putObject))
	other.HandleFunc("GET /simple/{$}", s.packageNames)
	other.HandleFunc("GET /simple/{name}/{$}", s.packageFiles)
	other.HandleFunc("GET /simple/{name}", s.packageFiles)
	other.HandleFunc("GET /packages/{file}", s.packageFile)
	other.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return logged(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// One mux cannot decide: an organization could be called as any of these.
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch first {
		case "api":
			api.ServeHTTP(w, r)
		case datasets:
			data.ServeHTTP(w, r)
		case "simple", "packages", "healthz", "_faults", strings.Trim(objectPath, "/"):
			other.ServeHTTP(w, r)
		default:
			files.ServeHTTP(w, r)
		}
	}), log.New(out, "hub: ", log.LstdFlags))
}

func (s *server) routeAPI(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/whoami-v2", s.whoami)
	mux.HandleFunc("POST /api/validate-yaml", s.validateCard)
	mux.HandleFunc("POST /api/repos/create", s.create)
	mux.HandleFunc("DELETE /api/repos/delete", s.remove)
	for _, kind := range []string{models, datasets} {
		repo := "/api/" + kind + "/{org}/{name}"
		for pattern, handler := range map[string]http.HandlerFunc{
			"GET " + repo:                                    s.info,
			"GET " + repo + "/revision/{revision}":           s.info,
			"GET " + repo + "/tree/{revision}":               s.tree,
			"GET " + repo + "/tree/{revision}/{dir...}":      s.tree,
			"POST " + repo + "/paths-info/{revision}":        s.pathsInfo,
			"GET " + repo + "/auth-check":                    s.authCheck,
			"PUT " + repo + "/settings":                      s.settings,
			"POST " + repo + "/preupload/{revision}":         s.faulty("preupload", s.preupload),
			"POST " + repo + "/commit/{revision}":            s.faulty("commit", s.commit),
			"GET " + repo + "/xet-write-token/{revision...}": noXet,
		} {
			mux.HandleFunc(pattern, of(kind, handler))
		}
	}
}

// routeFiles serves the files of a kind of repository, and LFS's own protocol, which git's clients speak too.
func (s *server) routeFiles(mux *http.ServeMux, kind, prefix string) {
	repo := prefix + "/{org}/{name}"
	mux.HandleFunc("GET "+repo+"/resolve/{revision}/{file...}", of(kind, s.resolve))
	mux.HandleFunc("POST "+repo+"/info/lfs/objects/batch", of(kind, s.faulty("batch", s.batch)))
	mux.HandleFunc("POST "+repo+"/info/lfs/objects/verify", of(kind, s.verify))
}

// of tells a handler which kind of repository its address is about.
func of(kind string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.SetPathValue("kind", kind)
		next(w, r)
	}
}

// open finds the repository of a request and who asks.
func (s *server) open(r *http.Request) (repo, *account, error) {
	who, err := s.store.caller(r)
	if err != nil {
		return repo{}, nil, err
	}
	// In LFS's addresses the name is that of a git repository.
	name := strings.TrimSuffix(r.PathValue("name"), ".git")
	found, err := s.store.readable(r.PathValue("kind"), r.PathValue("org"), name, who)
	return found, who, err
}

// address is what a client calls this Hub.
func address(r *http.Request) string { return "http://" + r.Host }
