package hub

import "net/http"

// noXet sends who would upload by the Xet protocol to an address that is not there: huggingface_hub ends then, and
// of the answer its message shows nothing but the last address.
func noXet(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/this-Hub-has-no-Xet-storage-set-HF_HUB_DISABLE_XET=1", http.StatusTemporaryRedirect)
}

// preupload says of each file how to send it, and what the repository has in its place.
func (s *server) preupload(w http.ResponseWriter, r *http.Request) {
	found, err := s.writable(r)
	var request struct {
		Files []struct {
			Path string `json:"path"`
			Size int64  `json:"size"`
		} `json:"files"`
	}
	if err == nil {
		err = readJSON(w, r, &request)
	}
	var head string
	if err == nil {
		head, err = found.head(r.PathValue("revision"))
	}
	if err != nil {
		refuse(w, err)
		return
	}
	answers := []map[string]any{}
	for _, f := range request.Files {
		mode := "regular"
		if isLFS(f.Path, f.Size) {
			mode = "lfs"
		}
		answer := map[string]any{"path": f.Path, "uploadMode": mode, "shouldIgnore": false}
		if path, err := found.path(head, f.Path); err == nil {
			described, err := s.store.describe(path, f.Path)
			if err != nil {
				refuse(w, err)
				return
			}
			answer["oid"] = described.oid()
		}
		answers = append(answers, answer)
	}
	writeJSON(w, map[string]any{"files": answers, "commitOid": head})
}
