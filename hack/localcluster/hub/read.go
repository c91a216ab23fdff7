package hub

import (
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// revision finds the repository and commit of a request, or answers why not.
func (s *server) revision(w http.ResponseWriter, r *http.Request) (repo, string, *account, bool) {
	found, who, err := s.open(r)
	var commit string
	if err == nil {
		commit, err = found.commit(r.PathValue("revision"))
	}
	if err != nil {
		refuse(w, err)
	}
	return found, commit, who, err == nil
}

// listing is revision with the commit's files.
func (s *server) listing(w http.ResponseWriter, r *http.Request) (repo, string, []file, bool) {
	found, commit, _, ok := s.revision(w, r)
	if !ok {
		return found, "", nil, false
	}
	files, err := s.store.files(found, commit)
	if err != nil {
		refuse(w, err)
	}
	return found, commit, files, err == nil
}

// info answers for gated repositories too: the Hub shows their listing to everybody.
func (s *server) info(w http.ResponseWriter, r *http.Request) {
	found, commit, files, ok := s.listing(w, r)
	if !ok {
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
	answer := map[string]any{
		"_id": commit[:24], "id": found.ID, "author": found.Org, "sha": commit, "private": found.Private, "gated": gated,
		"disabled": false, "tags": []string{}, "downloads": 0, "likes": 0, "createdAt": date, "lastModified": date, "siblings": siblings,
	}
	if found.Kind == models {
		answer["modelId"] = found.ID
	}
	writeJSON(w, answer)
}

// asked reads a switch of the query: Python's clients write "true" or "True".
func asked(r *http.Request, name string) bool {
	yes, _ := strconv.ParseBool(r.URL.Query().Get(name))
	return yes
}

// tree lists a folder of a revision, the top without one.
func (s *server) tree(w http.ResponseWriter, r *http.Request) {
	_, commit, files, ok := s.listing(w, r)
	if !ok {
		return
	}
	folder := ""
	if dir := strings.Trim(r.PathValue("dir"), "/"); dir != "" {
		folder = dir + "/"
	}
	all, seen := asked(r, "recursive"), map[string]bool{}
	entries := []map[string]any{}
	for _, f := range files {
		below, ok := strings.CutPrefix(f.Path, folder)
		if !ok {
			continue
		}
		for i, letter := range below {
			dir := below[:i]
			if letter != '/' || seen[dir] || !all && strings.Contains(dir, "/") {
				continue
			}
			seen[dir] = true
			entries = append(entries, directory(folder+dir, commit))
		}
		if all || !strings.Contains(below, "/") {
			entries = append(entries, f.entry())
		}
	}
	if len(entries) == 0 && folder != "" {
		refuse(w, errNoEntry)
		return
	}
	writeJSON(w, entries)
}

func directory(path, commit string) map[string]any {
	return map[string]any{"type": "directory", "path": path, "size": 0, "oid": commit}
}

// pathsInfo describes the paths of a form that are there, and says nothing of others.
func (s *server) pathsInfo(w http.ResponseWriter, r *http.Request) {
	_, commit, files, ok := s.listing(w, r)
	if !ok {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxJSON)
	if err := r.ParseForm(); err != nil {
		refuse(w, badRequest("the form cannot be read: %v", err))
		return
	}
	entries := []map[string]any{}
	for _, path := range r.PostForm["paths"] {
		path = strings.Trim(path, "/")
		i := slices.IndexFunc(files, func(f file) bool { return f.Path == path || strings.HasPrefix(f.Path, path+"/") })
		switch {
		case i < 0:
		case files[i].Path == path:
			entries = append(entries, files[i].entry())
		default:
			entries = append(entries, directory(path, commit))
		}
	}
	writeJSON(w, entries)
}

// admit refuses the files of a gated repository to who has no access.
func admit(w http.ResponseWriter, r repo, who *account) bool {
	if !r.Gated || who.mayRead(r) {
		return true
	}
	about := "Access to " + r.word() + " " + r.ID + " is restricted"
	if who == nil {
		fail(w, http.StatusUnauthorized, "GatedRepo", about+". You must have access to it and be authenticated to access it. Please log in.")
	} else {
		fail(w, http.StatusForbidden, "GatedRepo", about+" and you are not in the authorized list. Visit https://huggingface.co/"+r.name()+" to ask for access.")
	}
	return false
}

// authCheck is asked by clients that want to know about access before they download.
func (s *server) authCheck(w http.ResponseWriter, r *http.Request) {
	if found, _, who, ok := s.revision(w, r); ok && admit(w, found, who) {
		writeJSON(w, map[string]bool{"ok": true})
	}
}

func (s *server) resolve(w http.ResponseWriter, r *http.Request) {
	found, commit, who, ok := s.revision(w, r)
	if !ok || !admit(w, found, who) {
		return
	}
	name := r.PathValue("file")
	path, err := found.path(commit, name)
	if err != nil {
		w.Header().Set("X-Repo-Commit", commit)
		refuse(w, err)
		return
	}
	if w, ok = s.faultyDownload(w, r, found.name(), name); !ok {
		return
	}
	if err := s.send(w, r, commit, path, name); err != nil {
		refuse(w, err)
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
