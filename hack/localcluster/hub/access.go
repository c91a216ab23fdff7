package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// account is who a token belongs to and what it may do beyond reading public repositories.
type account struct {
	User string `json:"user"`
	// Repos may be read although they are gated or private: ORG/NAME, for a dataset datasets/ORG/NAME.
	Repos []string `json:"repos"`
	// Writes are the namespaces (users, organizations) whose repositories it may make, change and remove.
	Writes []string `json:"writes"`
}

// accessFile is access.json: accounts by token.
type accessFile struct {
	Tokens map[string]account `json:"tokens"`
}

// caller finds the account of a request; nil when it carries no token. The file is read each time
// so that a test can change it while the server runs.
func (s *store) caller(r *http.Request) (*account, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return nil, nil
	}
	data, err := os.ReadFile(filepath.Join(s.root, "access.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var access accessFile
	if len(data) > 0 {
		if err := json.Unmarshal(data, &access); err != nil {
			return nil, fmt.Errorf("read access.json: %w", err)
		}
	}
	if a, ok := access.Tokens[token]; ok {
		return &a, nil
	}
	return nil, errBadToken
}

// mayRead is about gated and private repositories: who may write in a namespace reads all of it.
func (a *account) mayRead(r repo) bool {
	return a != nil && (slices.Contains(a.Repos, r.name()) || a.mayWrite(r.Org))
}

func (a *account) mayWrite(namespace string) bool {
	return a != nil && slices.Contains(a.Writes, namespace)
}

// whoami says who a token belongs to, and the organizations that it may write to.
func (s *server) whoami(w http.ResponseWriter, r *http.Request) {
	who, err := s.store.caller(r)
	if who == nil || err != nil {
		fail(w, http.StatusUnauthorized, "", "Invalid username or password.")
		return
	}
	role, orgs := "read", []map[string]any{}
	for _, namespace := range who.Writes {
		role = "write"
		if namespace != who.User {
			orgs = append(orgs, map[string]any{"type": "org", "id": namespace, "name": namespace, "fullname": namespace, "roleInOrg": "write"})
		}
	}
	writeJSON(w, map[string]any{
		"type": "user", "id": who.User, "name": who.User, "fullname": who.User, "orgs": orgs,
		"auth": map[string]any{"type": "access_token", "accessToken": map[string]any{"displayName": who.User, "role": role}},
	})
}
