package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// refusal is an answer that the Hub gives instead of what was asked for, in its words.
type refusal struct {
	status int
	// code goes into X-Error-Code, by which huggingface_hub chooses its exception.
	code    string
	message string
}

func (r refusal) Error() string { return r.message }

var (
	errNoRepo   = refusal{http.StatusNotFound, "RepoNotFound", "Repository not found"}
	errNoEntry  = refusal{http.StatusNotFound, "EntryNotFound", "Entry not found"}
	errNoToken  = refusal{http.StatusUnauthorized, "", "Invalid username or password."}
	errBadToken = refusal{http.StatusUnauthorized, "", "Invalid credentials in Authorization header"}
)

func errNoRevision(revision string) refusal {
	return refusal{http.StatusNotFound, "RevisionNotFound", "Invalid rev id: " + revision}
}

func badRequest(format string, args ...any) refusal {
	return refusal{http.StatusBadRequest, "", fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) refusal {
	return refusal{http.StatusForbidden, "", fmt.Sprintf(format, args...)}
}

// refuse answers with the status that an error stands for: 500 for what is no refusal.
func refuse(w http.ResponseWriter, err error) {
	var refused refusal
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &refused):
		fail(w, refused.status, refused.code, refused.message)
	case errors.As(err, &tooLarge):
		fail(w, http.StatusRequestEntityTooLarge, "", fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit))
	default:
		fail(w, http.StatusInternalServerError, "", err.Error())
	}
}

// fail answers as the Hub does: huggingface_hub chooses its exception by X-Error-Code.
func fail(w http.ResponseWriter, status int, code, message string) {
	if code != "" {
		w.Header().Set("X-Error-Code", code)
	}
	w.Header().Set("X-Error-Message", message)
	writeStatus(w, status, map[string]string{"error": message})
}

func writeJSON(w http.ResponseWriter, v any) { writeStatus(w, http.StatusOK, v) }

func writeStatus(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// readJSON decodes a request's body of at most maxJSON bytes.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxJSON)).Decode(into)
	if tooLarge := (*http.MaxBytesError)(nil); err == nil || errors.As(err, &tooLarge) {
		return err
	}
	return badRequest("the body is not the JSON that %s wants: %v", r.URL.Path, err)
}
