package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/hub"
)

// tokensPage is where tokens are made.
const tokensPage = "https://huggingface.co/settings/tokens" //nolint:gosec // an address

// token returns the Hugging Face token and where it is from: the Secret, or else the environment.
// Without one it is "".
func (s *Subject) token(ctx context.Context) (token, from string) {
	if s.Client != nil {
		if v, err := s.hfRead(ctx); err == nil {
			if token = strings.TrimSpace(v.value); token != "" {
				return token, fmt.Sprintf("Secret %s, key %s", s.HFSecret.Name, s.HFSecret.Key)
			}
		}
	}
	return strings.TrimSpace(s.HFToken), hfVariable + " of the environment"
}

// replace is how the token that was found is replaced.
func (s *Subject) replace(from string) string {
	if strings.HasPrefix(from, "Secret ") {
		return "make a token at " + tokensPage + ", put it into " + hfVariable + ", and: " + s.renewSecret(s.HFSecret, hfVariable)
	}
	return "make a token at " + tokensPage + " and put it into " + hfVariable
}

// first is how the first token is given.
func (s *Subject) first() string {
	if s.Client == nil {
		return s.replace("")
	}
	return "make a token at " + tokensPage + ", put it into " + hfVariable + ", and: " + s.makeSecret(s.HFSecret, hfVariable)
}

// unread says that the Secret may hold a token, and could not be read.
func (s *Subject) unread(ctx context.Context) bool {
	if s.Client == nil {
		return false
	}
	_, err := s.hfRead(ctx)
	return err != nil
}

// unreadFinding is the finding where all depends on a token that cannot be read.
func (s *Subject) unreadFinding(what string) Finding {
	return skip("%s: Secret %s cannot be read, and %s is not set in its place", what, s.HFSecret.Name, hfVariable)
}

func (s *Subject) whoAmI(ctx context.Context, token string) (*hub.Account, error) {
	return s.account.get(func() (*hub.Account, error) { return s.Hub.WhoAmI(ctx, token) })
}

// unsaid is the finding for a question that the Hub did not answer.
func (s *Subject) unsaid(err error) Finding {
	if r := hub.AsRefusal(err); r != nil {
		if r.Status == http.StatusTooManyRequests {
			return skip("%s answers no more requests from here for now (429)", s.Hub.Endpoint)
		}
		return skip("%s answered %v", s.Hub.Endpoint, r)
	}
	return skip("the Hub was not reached: %v", err)
}

func (s *Subject) hfToken(ctx context.Context) Finding {
	token, from := s.token(ctx)
	if token == "" && s.unread(ctx) {
		return s.unreadFinding("the token is not known")
	}
	if token == "" {
		return skip("there is no token: neither in Secret %s nor in %s", s.HFSecret.Name, hfVariable)
	}
	account, err := s.whoAmI(ctx, token)
	switch r := hub.AsRefusal(err); {
	case r != nil && r.Status == http.StatusUnauthorized:
		return fail(s.replace(from), "the Hub does not know the token from %s (401): it is wrong, has expired or was revoked", from)
	case err != nil:
		return s.unsaid(err)
	}
	return pass("valid: account %s, %s (from %s)", account.Name, role(account), from)
}

func role(a *hub.Account) string {
	switch a.Auth.AccessToken.Role {
	case "fineGrained":
		return "fine-grained token"
	case "":
		return "of a role that the Hub does not tell"
	}
	return "token of role " + a.Auth.AccessToken.Role
}

// onHub says whether vLLM would fetch the model from the Hub.
func onHub(model string) bool {
	return !strings.HasPrefix(model, "/") && !strings.Contains(model, "://")
}

func (s *Subject) modelAccess(ctx context.Context) Finding {
	if !onHub(s.Model) {
		return skip("%s is not on the Hub: the server reads it itself", s.Model)
	}
	token, from := s.token(ctx)
	err := s.Hub.Readable(ctx, token, s.Model)
	if err == nil {
		if token == "" {
			return pass("%s may be read by everybody", s.Model)
		}
		return pass("%s may be read with the token from %s", s.Model, from)
	}
	r := hub.AsRefusal(err)
	switch {
	case r == nil:
		return s.unsaid(err)
	case r.Status == http.StatusUnauthorized && token == "" && s.unread(ctx):
		return s.unreadFinding(s.Model + " is gated or private, and whether it may be read is not known")
	}
	return s.refusedModel(r, token, from)
}

// refusedModel tells the reasons apart for which the Hub does not show a model.
func (s *Subject) refusedModel(r *hub.Refusal, token, from string) Finding {
	licence := "https://huggingface.co/" + s.Model
	gated := r.Code == hub.GatedRepo
	switch {
	case r.Status == http.StatusUnauthorized && token == "" && gated:
		return fail("accept the licence at "+licence+"\nthen "+s.first(), "%s is gated, and there is no token (401)", s.Model)
	case r.Status == http.StatusUnauthorized && token == "":
		return fail("check the spelling; if it is private: "+s.makeSecret(s.HFSecret, hfVariable), "there is no model %s that everybody may see (401): it does not exist, or it is private and needs a token", s.Model)
	case r.Status == http.StatusUnauthorized:
		return fail(s.replace(from), "the Hub does not take the token from %s (401): it is wrong, has expired or was revoked", from)
	case r.Status == http.StatusForbidden && strings.Contains(strings.ToLower(r.Message), "fine-grained"):
		return fail("at "+tokensPage+" edit the token: check \"Read access to contents of all public gated repos you can access\"",
			"the token from %s is fine-grained and not allowed to read gated models such as %s (403)", from, s.Model)
	case r.Status == http.StatusForbidden && strings.Contains(r.Message, "awaiting"):
		return fail("wait for the answer, or ask the owners at "+licence, "the licence of %s is asked for, and its owners have not answered yet (403)", s.Model)
	case r.Status == http.StatusForbidden:
		return fail("accept the licence at "+licence+" with the account of the token from "+from,
			"the account of the token has no access to %s (403), as a rule because its licence was not accepted; the Hub says: %s", s.Model, r.Message)
	case r.Status == http.StatusNotFound && r.Code == hub.EntryNotFound:
		return warn("vLLM needs a config.json: choose a repository with the model's own files", "%s may be read, but has no config.json on its main branch", s.Model)
	case r.Status == http.StatusNotFound:
		return fail("check the spelling: "+licence, "there is no model %s on %s, or the token from %s may not see it (404)", s.Model, s.Hub.Endpoint, from)
	}
	return s.unsaid(r)
}

func (s *Subject) hubWrite(ctx context.Context) Finding {
	if s.PublishRepo == "" {
		return skip("nothing is to be published: name the repository with --publish-repo ORG/NAME")
	}
	token, from := s.token(ctx)
	if token == "" && s.unread(ctx) {
		return s.unreadFinding("whether the token may write is not known")
	}
	if token == "" {
		return fail(s.first(), "there is no token, and to publish to %s needs one that may write", s.PublishRepo)
	}
	account, err := s.whoAmI(ctx, token)
	if err != nil {
		if r := hub.AsRefusal(err); r != nil && r.Status == http.StatusUnauthorized {
			return fail(s.replace(from), "the Hub does not know the token from %s (401)", from)
		}
		return s.unsaid(err)
	}
	return s.mayWrite(ctx, account, token, from)
}

func (s *Subject) mayWrite(ctx context.Context, account *hub.Account, token, from string) Finding {
	namespace, _, _ := strings.Cut(s.PublishRepo, "/")
	other := "publish to " + account.Name + "/NAME"
	for _, org := range account.Orgs {
		if org.Role != "read" {
			other += ", or to " + org.Name + "/NAME"
		}
	}
	switch account.MayWrite(s.PublishRepo) {
	case hub.WriteAll:
		return pass("the token from %s (account %s) may make and write %s", from, account.Name, s.PublishRepo)
	case hub.WriteOwn:
		return pass("account %s may make repositories in %s, and write to those that it made", account.Name, namespace)
	case hub.WriteNo:
		return fail("at "+tokensPage+" make a token of role write, or give a fine-grained one the right to write to the repositories of "+namespace,
			"the token from %s may not write to %s: %s", from, s.PublishRepo, role(account))
	case hub.WriteForeign:
		return fail(other, "account %s does not belong to %s", account.Name, namespace)
	case hub.WriteReader:
		return fail(other+"\nor ask an administrator of "+namespace+" for the role contributor", "account %s may only read in %s", account.Name, namespace)
	case hub.WriteExisting:
		there, err := s.Hub.Exists(ctx, token, s.PublishRepo)
		switch {
		case err != nil:
			return s.unsaid(err)
		case there:
			return pass("the token from %s may write to %s", from, s.PublishRepo)
		}
		return fail("make the repository first: https://huggingface.co/new", "the token from %s may write to %s alone, and that is not there: it may not make it", from, s.PublishRepo)
	}
	return skip("the Hub does not say what the token from %s may write", from)
}
