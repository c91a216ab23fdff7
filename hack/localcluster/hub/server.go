package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

type server struct {
	store  *store
	faults faults
}

// Handler serves the Hub's API from root and logs each request to out. Tokens are never logged.
func Handler(root string, out io.Writer) http.Handler {
	s := &server{store: newStore(root)}
	api := http.NewServeMux()
	api.HandleFunc("GET /api/whoami-v2", s.whoami)
	api.HandleFunc("GET /api/models/{org}/{name}", s.model)
	api.HandleFunc("GET /api/models/{org}/{name}/revision/{revision}", s.model)
	api.HandleFunc("GET /api/models/{org}/{name}/tree/{revision}", s.tree)
	api.HandleFunc("GET /api/models/{org}/{name}/auth-check", s.authCheck)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{org}/{name}/resolve/{revision}/{file...}", s.resolve)
	mux.Handle("/_faults", fromHere(&s.faults))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A mux cannot decide: an organization could be called "api".
		if strings.HasPrefix(r.URL.Path, "/api/") {
			api.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	return logged(both, log.New(out, "hub: ", log.LstdFlags))
}

// fail answers as the Hub does: huggingface_hub chooses its exception by X-Error-Code.
func fail(w http.ResponseWriter, status int, code, message string) {
	if code != "" {
		w.Header().Set("X-Error-Code", code)
	}
	w.Header().Set("X-Error-Message", message)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

// open finds the repository and commit of a request, or answers why not.
func (s *server) open(w http.ResponseWriter, r *http.Request) (repo, string, *account, bool) {
	who, err := s.store.caller(r)
	if errors.Is(err, errBadToken) {
		fail(w, http.StatusUnauthorized, "", "Invalid credentials in Authorization header")
		return repo{}, "", nil, false
	}
	if err != nil {
		fail(w, http.StatusInternalServerError, "", err.Error())
		return repo{}, "", nil, false
	}
	found, err := s.store.repo(r.PathValue("org"), r.PathValue("name"))
	if err == nil && found.Private && !who.mayRead(found) {
		err = errNoRepo
	}
	if errors.Is(err, errNoRepo) {
		// Without a token the Hub does not tell a missing repository from a hidden one.
		status := http.StatusNotFound
		if who == nil {
			status = http.StatusUnauthorized
		}
		fail(w, status, "RepoNotFound", "Repository not found")
		return repo{}, "", nil, false
	}
	if err != nil {
		fail(w, http.StatusInternalServerError, "", err.Error())
		return repo{}, "", nil, false
	}
	commit, err := found.commit(r.PathValue("revision"))
	if err != nil {
		fail(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+r.PathValue("revision"))
		return repo{}, "", nil, false
	}
	return found, commit, who, true
}

func (s *server) whoami(w http.ResponseWriter, r *http.Request) {
	who, err := s.store.caller(r)
	if who == nil || err != nil {
		fail(w, http.StatusUnauthorized, "", "Invalid username or password.")
		return
	}
	writeJSON(w, map[string]any{
		"type": "user", "id": who.User, "name": who.User, "fullname": who.User, "orgs": []any{},
		"auth": map[string]any{"type": "access_token", "accessToken": map[string]any{"displayName": who.User, "role": "read"}},
	})
}

// model answers for gated repositories too: the Hub shows their listing to everybody.
func (s *server) model(w http.ResponseWriter, r *http.Request) {
	found, commit, _, ok := s.open(w, r)
	if !ok {
		return
	}
	files, err := s.store.files(found, commit)
	if err != nil {
		fail(w, http.StatusInternalServerError, "", err.Error())
		return
	}
	blobs := asked(r, "blobs")
	siblings := []map[string]any{}
	for _, f := range files {
		sibling := map[string]any{"rfilename": f.Path}
		if blobs {
			sibling["blobId"], sibling["size"] = f.Blob, f.Size
			if f.SHA256 != "" {
				sibling["lfs"] = map[string]any{"sha256": f.SHA256, "size": f.Size, "pointerSize": f.PointerSize}
			}
		}
		siblings = append(siblings, sibling)
	}
	var gated any = false
	if found.Gated {
		gated = "manual"
	}
	const date = "2025-01-01T00:00:00.000Z"
	writeJSON(w, map[string]any{
		"_id": commit[:24], "id": found.ID, "modelId": found.ID, "sha": commit, "private": found.Private, "gated": gated,
		"disabled": false, "tags": []string{}, "downloads": 0, "likes": 0, "createdAt": date, "lastModified": date, "siblings": siblings,
	})
}

// asked reads a switch of the query: Python's clients write "true" or "True".
func asked(r *http.Request, name string) bool {
	yes, _ := strconv.ParseBool(r.URL.Query().Get(name))
	return yes
}

func (s *server) tree(w http.ResponseWriter, r *http.Request) {
	found, commit, _, ok := s.open(w, r)
	if !ok {
		return
	}
	files, err := s.store.files(found, commit)
	if err != nil {
		fail(w, http.StatusInternalServerError, "", err.Error())
		return
	}
	all, seen := asked(r, "recursive"), map[string]bool{}
	entries := []map[string]any{}
	for _, f := range files {
		for i, letter := range f.Path {
			dir := f.Path[:i]
			if letter != '/' || seen[dir] || !all && strings.Contains(dir, "/") {
				continue
			}
			seen[dir] = true
			entries = append(entries, map[string]any{"type": "directory", "path": dir, "size": 0, "oid": commit})
		}
		if !all && strings.Contains(f.Path, "/") {
			continue
		}
		entry := map[string]any{"type": "file", "path": f.Path, "size": f.Size, "oid": f.Blob}
		if f.SHA256 != "" {
			entry["lfs"] = map[string]any{"oid": f.SHA256, "size": f.Size, "pointerSize": f.PointerSize}
		}
		entries = append(entries, entry)
	}
	writeJSON(w, entries)
}

// admit refuses the files of a gated repository to who has no access.
func admit(w http.ResponseWriter, r repo, who *account) bool {
	if !r.Gated || who.mayRead(r) {
		return true
	}
	if who == nil {
		fail(w, http.StatusUnauthorized, "GatedRepo", "Access to model "+r.ID+" is restricted. You must have access to it and be authenticated to access it. Please log in.")
	} else {
		fail(w, http.StatusForbidden, "GatedRepo", "Access to model "+r.ID+" is restricted and you are not in the authorized list. Visit https://huggingface.co/"+r.ID+" to ask for access.")
	}
	return false
}

// authCheck is asked by clients that want to know about access before they download.
func (s *server) authCheck(w http.ResponseWriter, r *http.Request) {
	if found, _, who, ok := s.open(w, r); ok && admit(w, found, who) {
		writeJSON(w, map[string]bool{"ok": true})
	}
}

func (s *server) resolve(w http.ResponseWriter, r *http.Request) {
	found, commit, who, ok := s.open(w, r)
	if !ok {
		return
	}
	if !admit(w, found, who) {
		return
	}
	name := r.PathValue("file")
	path, err := found.path(commit, name)
	if err != nil {
		w.Header().Set("X-Repo-Commit", commit)
		fail(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	if r.Method == http.MethodGet {
		if fault := s.faults.strike(found.ID, name); fault != nil {
			if fault.Status != 0 {
				if fault.RetryAfter > 0 {
					w.Header().Set("Retry-After", strconv.Itoa(fault.RetryAfter))
				}
				fail(w, fault.Status, "", http.StatusText(fault.Status))
				return
			}
			w = &faultyWriter{ResponseWriter: w, fault: fault}
		}
	}
	if err := s.send(w, r, commit, path, name); err != nil {
		fail(w, http.StatusInternalServerError, "", err.Error())
	}
}

func (s *server) send(w http.ResponseWriter, r *http.Request, commit, path, name string) error {
	described, err := s.store.describe(path, name)
	if err != nil {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	w.Header().Set("X-Repo-Commit", commit)
	w.Header().Set("ETag", described.etag())
	if described.SHA256 != "" {
		w.Header().Set("X-Linked-Etag", described.etag())
		w.Header().Set("X-Linked-Size", strconv.FormatInt(described.Size, 10))
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, in)
	return nil
}
