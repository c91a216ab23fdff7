package hub

import (
	"context"
	"slices"
	"strings"
)

// Account is who a token belongs to, and what the token may do.
type Account struct {
	Name string `json:"name"`
	Orgs []Org  `json:"orgs"`
	Auth struct {
		AccessToken struct {
			// Role is read, write, or fineGrained; then FineGrained says more.
			Role        string      `json:"role"`
			FineGrained FineGrained `json:"fineGrained"`
		} `json:"accessToken"`
	} `json:"auth"`
}

// Org is an organization that the account belongs to.
type Org struct {
	Name string `json:"name"`
	// Role is read, contributor, write or admin.
	Role string `json:"roleInOrg"`
}

// FineGrained are the permissions of a token that has its own for each place.
type FineGrained struct {
	// CanReadGatedRepos is the box for public gated repositories, which is empty by default.
	CanReadGatedRepos bool    `json:"canReadGatedRepos"`
	Scoped            []Scope `json:"scoped"`
}

// Scope is what a token may do in one place.
type Scope struct {
	Entity struct {
		// Type is user, org, model, dataset or another kind of repository.
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"entity"`
	Permissions []string `json:"permissions"`
}

// WhoAmI asks who a token belongs to; a token that is not valid gives a *Refusal of status 401.
func (c *Client) WhoAmI(ctx context.Context, token string) (*Account, error) {
	account := &Account{}
	return account, c.get(ctx, "/api/whoami-v2", token, account)
}

// Write is how far a token may write to a repository.
type Write int

const (
	// WriteUnknown says that the Hub did not say.
	WriteUnknown Write = iota
	// WriteNo says that the token may not write at all, or not there.
	WriteNo
	// WriteForeign says that the account belongs to no such namespace.
	WriteForeign
	// WriteReader says that the account may only read in the organization.
	WriteReader
	// WriteExisting says that it may write to this repository, and not make it.
	WriteExisting
	// WriteOwn says that it may make repositories there, and write to those that it made.
	WriteOwn
	// WriteAll says that it may make repositories there and write to them.
	WriteAll
)

// permission is what a fine-grained token needs to make repositories and to push.
const permission = "repo.write"

// MayWrite says how far the token may write to the model ORG/NAME.
func (a *Account) MayWrite(id string) Write {
	namespace, _, _ := strings.Cut(id, "/")
	token := WriteUnknown
	switch a.Auth.AccessToken.Role {
	case "read":
		return WriteNo
	case "write", "admin":
		token = WriteAll
	case "fineGrained":
		token = a.Auth.AccessToken.FineGrained.mayWrite(namespace, id)
	}
	if token < WriteExisting || strings.EqualFold(namespace, a.Name) {
		return token
	}
	i := slices.IndexFunc(a.Orgs, func(o Org) bool { return strings.EqualFold(o.Name, namespace) })
	switch {
	case i < 0:
		return WriteForeign
	case a.Orgs[i].Role == "read":
		return WriteReader
	case a.Orgs[i].Role == "contributor":
		return min(token, WriteOwn)
	}
	return token
}

func (f *FineGrained) mayWrite(namespace, id string) Write {
	best := WriteNo
	for _, s := range f.Scoped {
		if !slices.Contains(s.Permissions, permission) {
			continue
		}
		switch {
		case (s.Entity.Type == "user" || s.Entity.Type == "org") && strings.EqualFold(s.Entity.Name, namespace):
			best = WriteAll
		case s.Entity.Type == "model" && strings.EqualFold(s.Entity.Name, id):
			best = max(best, WriteExisting)
		}
	}
	return best
}
