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

// account is who a token belongs to and what it may read beyond public repositories.
type account struct {
	User  string   `json:"user"`
	Repos []string `json:"repos"`
}

// accessFile is access.json: accounts by token.
type accessFile struct {
	Tokens map[string]account `json:"tokens"`
}

// errBadToken is a token that no account has; the Hub refuses it even for public repositories.
var errBadToken = errors.New("invalid token")

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

func (a *account) mayRead(r repo) bool { return a != nil && slices.Contains(a.Repos, r.ID) }
