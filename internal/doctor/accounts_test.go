package doctor

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
)

// world answers as the Hub and as Weights & Biases do, each by its own paths. Known tokens are
// read (of ann, who has accepted nothing), write (of ann), fine (fine-grained, no gated models) and
// pending; W&B knows the key wb.
func world(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code, message string) {
		if code != "" {
			w.Header().Set("X-Error-Code", code)
		}
		w.Header().Set("X-Error-Message", message)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": message})
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	known := map[string]bool{"": true, "hf_read": true, "hf_write": true, "hf_fine": true, "hf_pending": true, canary: true}
	switch path := r.URL.Path; {
	case path == "/graphql":
		if _, key, _ := r.BasicAuth(); key != "wb" {
			refuse(http.StatusUnauthorized, "", "user is not logged in as "+key)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"viewer":{"username":"ann"}}}`)
	case !known[token]:
		refuse(http.StatusUnauthorized, "", "Invalid credentials in Authorization header")
	case path == "/api/whoami-v2" && token == "":
		refuse(http.StatusUnauthorized, "", "Invalid username or password.")
	case path == "/api/whoami-v2":
		role := map[string]string{"hf_write": "write", "hf_fine": "fineGrained"}[token]
		if role == "" {
			role = "read"
		}
		_, _ = io.WriteString(w, `{"type":"user","name":"ann","orgs":[{"name":"team","roleInOrg":"read"},{"name":"lab","roleInOrg":"write"}],"auth":{"accessToken":{"role":"`+role+
			`","fineGrained":{"scoped":[{"entity":{"type":"model","name":"ann/sums"},"permissions":["repo.write"]}]}}}}`)
	case path == "/api/models/ann/sums":
		refuse(http.StatusNotFound, "RepoNotFound", "Repository not found")
	case path == "/open/model/resolve/main/config.json":
	case path == "/gguf/model/resolve/main/config.json":
		refuse(http.StatusNotFound, "EntryNotFound", "Entry not found")
	case path == "/busy/model/resolve/main/config.json":
		refuse(http.StatusTooManyRequests, "", "rate limited")
	case strings.HasPrefix(path, "/gated/model/"):
		switch token {
		case "":
			refuse(http.StatusUnauthorized, "GatedRepo", "Access to model gated/model is restricted. You must have access to it and be authenticated to access it. Please log in.")
		case "hf_fine":
			refuse(http.StatusForbidden, "", "Please enable access to public gated repositories in your fine-grained token settings to view this repository.")
		case "hf_pending":
			refuse(http.StatusForbidden, "GatedRepo", "Your request to access model gated/model is awaiting a review from the repo authors.")
		case "hf_write":
		default:
			refuse(http.StatusForbidden, "GatedRepo", "Access to model gated/model is restricted and you are not in the authorized list. Your token "+token+" is of no use.")
		}
	case token == "":
		refuse(http.StatusUnauthorized, "RepoNotFound", "Invalid username or password.")
	default:
		refuse(http.StatusNotFound, "RepoNotFound", "Repository not found")
	}
}

func TestAccounts(t *testing.T) {
	model := func(id string) func(*Subject) { return func(s *Subject) { s.Model = id } }
	publish := func(repo string) func(*Subject) { return func(s *Subject) { s.PublishRepo = repo } }
	track := func(s *Subject) { s.WandBSecret = &SecretKey{"wandb", "key"} }
	given := func(s *Subject) { s.HFSecretGiven = true }
	hf := func(token string) []runtime.Object {
		return []runtime.Object{secret("hf-secret", "hf_api_token", token)}
	}
	tests := map[string]struct {
		objects []runtime.Object
		change  func(*Subject)
		want    expect
	}{
		"secret":         {hf("hf_read"), nil, expect{"hf-secret", Pass, "key hf_api_token of Secret hf-secret is there", ""}},
		"no secret":      {nil, nil, expect{"hf-secret", Warn, "only models that need no token", "printenv HF_TOKEN | tr -d '\\n' | kubectl create secret generic -n ml --context lab hf-secret --from-file=hf_api_token=/dev/stdin"}},
		"no such secret": {nil, given, expect{"hf-secret", Fail, "there is no Secret hf-secret in namespace ml", "kubectl create secret"}},
		"other key":      {[]runtime.Object{secret("hf-secret", "token", "hf_read")}, nil, expect{"hf-secret", Fail, `no key "hf_api_token"; it has: token`, "--hf-secret hf-secret:token"}},
		"newline":        {hf("hf_read\n"), nil, expect{"hf-secret", Warn, "a newline or a space", `[ -n "$HF_TOKEN" ] && printenv HF_TOKEN | tr -d '\n' | kubectl create secret generic -n ml --context lab hf-secret --from-file=hf_api_token=/dev/stdin --dry-run=client -o yaml | kubectl replace -f - --context lab`}},
		"empty":          {hf("\n"), nil, expect{"hf-secret", Fail, "is empty", "printenv"}},
		"quotes":         {hf(`"hf_read"`), nil, expect{"hf-secret", Fail, "in quotes", "printenv"}},
		"base64":         {hf("aGZfcmVhZA=="), nil, expect{"hf-secret", Fail, "base64", "printenv"}},
		"two words":      {hf("Bearer hf_read"), nil, expect{"hf-secret", Fail, "more than one word", "printenv"}},
		"no token":       {hf("sk-1234"), nil, expect{"hf-secret", Warn, "does not look like a token", "settings/tokens"}},
		"secret unseen": {nil, func(s *Subject) { forbid(s, "get", "secrets") },
			expect{"hf-secret", Skipped, "you may not read Secret hf-secret; the checks of the token use HF_TOKEN", ""}},

		"token":         {hf("hf_read\n"), nil, expect{"hf-token", Pass, "account ann, token of role read (from Secret hf-secret, key hf_api_token)", ""}},
		"token, unseen": {nil, func(s *Subject) { forbid(s, "get", "secrets"); s.HFToken = "hf_write" }, expect{"hf-token", Pass, "(from HF_TOKEN of the environment)", ""}},
		"token, unseen, none": {nil, func(s *Subject) { forbid(s, "get", "secrets") },
			expect{"hf-token", Skipped, "Secret hf-secret cannot be read, and HF_TOKEN is not set in its place", ""}},
		"gated, unseen": {nil, func(s *Subject) { forbid(s, "get", "secrets"); s.Model = "gated/model" },
			expect{"model-access", Skipped, "gated/model is gated or private, and whether it may be read is not known: Secret hf-secret cannot be read", ""}},
		"publish, unseen": {nil, func(s *Subject) { forbid(s, "get", "secrets"); s.PublishRepo = "ann/sums" },
			expect{"hub-write", Skipped, "whether the token may write is not known", ""}},
		"gated, no cluster": {nil, func(s *Subject) { s.Client, s.Model = nil, "gated/model" },
			expect{"model-access", Fail, "gated/model is gated, and there is no token (401)", "then make a token at https://huggingface.co/settings/tokens and put it into HF_TOKEN"}},
		"token, neither":   {nil, nil, expect{"hf-token", Skipped, "neither in Secret hf-secret nor in HF_TOKEN", ""}},
		"token, unknown":   {hf("hf_old"), nil, expect{"hf-token", Fail, "does not know the token from Secret hf-secret, key hf_api_token (401)", "kubectl replace -f -"}},
		"token, other":     {nil, func(s *Subject) { s.HFToken = "hf_old" }, expect{"hf-token", Fail, "from HF_TOKEN of the environment", "and put it into HF_TOKEN"}},
		"Hub out of reach": {hf("hf_read"), func(s *Subject) { s.Hub.Endpoint = "http://127.0.0.1:1" }, expect{"hf-token", Skipped, "the Hub was not reached: 127.0.0.1:1 refuses the connection", ""}},

		"open":              {nil, model("open/model"), expect{"model-access", Pass, "open/model may be read by everybody", ""}},
		"open with token":   {hf("hf_read"), model("open/model"), expect{"model-access", Pass, "with the token from Secret", ""}},
		"gated, no token":   {nil, model("gated/model"), expect{"model-access", Fail, "gated/model is gated, and there is no token (401)", "https://huggingface.co/gated/model\nthen make a token at https://huggingface.co/settings/tokens, put it into HF_TOKEN, and: printenv"}},
		"gated, bad token":  {hf("hf_old"), model("gated/model"), expect{"model-access", Fail, "does not take the token from Secret hf-secret, key hf_api_token (401)", "settings/tokens"}},
		"gated, no licence": {hf("hf_read"), model("gated/model"), expect{"model-access", Fail, "has no access to gated/model (403)", "accept the licence at https://huggingface.co/gated/model with the account"}},
		"gated, fine":       {hf("hf_fine"), model("gated/model"), expect{"model-access", Fail, "is fine-grained and not allowed to read gated models", "Read access to contents of all public gated repos"}},
		"gated, pending":    {hf("hf_pending"), model("gated/model"), expect{"model-access", Fail, "its owners have not answered yet", "wait"}},
		"gated, accepted":   {hf("hf_write"), model("gated/model"), expect{"model-access", Pass, "gated/model may be read", ""}},
		"no model":          {hf("hf_read"), model("no/model"), expect{"model-access", Fail, "there is no model no/model on http://127.0.0.1", "check the spelling"}},
		"no model, nobody":  {nil, model("no/model"), expect{"model-access", Fail, "that everybody may see (401)", "if it is private: printenv"}},
		"no config":         {nil, model("gguf/model"), expect{"model-access", Warn, "has no config.json", "config.json"}},
		"too many requests": {nil, model("busy/model"), expect{"model-access", Skipped, "no more requests from here for now (429)", ""}},
		"bucket":            {nil, model("gs://bucket/model"), expect{"model-access", Skipped, "is not on the Hub", ""}},

		"nothing to publish":   {hf("hf_read"), nil, expect{"hub-write", Skipped, "--publish-repo", ""}},
		"publish":              {hf("hf_write"), publish("lab/sums"), expect{"hub-write", Pass, "may make and write lab/sums", ""}},
		"publish, read token":  {hf("hf_read"), publish("ann/sums"), expect{"hub-write", Fail, "may not write to ann/sums: token of role read", "role write"}},
		"publish, reader":      {hf("hf_write"), publish("team/sums"), expect{"hub-write", Fail, "account ann may only read in team", "publish to ann/NAME, or to lab/NAME\n"}},
		"publish, foreign":     {hf("hf_write"), publish("other/sums"), expect{"hub-write", Fail, "account ann does not belong to other", "publish to ann/NAME"}},
		"publish, fine":        {hf("hf_fine"), publish("lab/sums"), expect{"hub-write", Fail, "fine-grained token", "the repositories of lab"}},
		"publish, not there":   {hf("hf_fine"), publish("ann/sums"), expect{"hub-write", Fail, "it may not make it", "https://huggingface.co/new"}},
		"publish, no token":    {nil, publish("ann/sums"), expect{"hub-write", Fail, "there is no token", "settings/tokens"}},
		"publish, wrong token": {hf("hf_old"), publish("ann/sums"), expect{"hub-write", Fail, "does not know the token", "settings/tokens"}},

		"no tracking":           {nil, nil, expect{"wandb-key", Skipped, "--wandb-secret", ""}},
		"tracking":              {[]runtime.Object{secret("wandb", "key", "wb")}, track, expect{"wandb-key", Pass, "account ann (from Secret wandb, key key)", ""}},
		"tracking, env":         {nil, func(s *Subject) { s.WandBKey = "wb" }, expect{"wandb-key", Pass, "from WANDB_API_KEY of the environment", ""}},
		"tracking, unseen":      {nil, func(s *Subject) { track(s); forbid(s, "get", "secrets") }, expect{"wandb-key", Skipped, "you may not read Secret wandb", ""}},
		"tracking, unseen, env": {nil, func(s *Subject) { track(s); forbid(s, "get", "secrets"); s.WandBKey = "wb" }, expect{"wandb-key", Pass, "from WANDB_API_KEY", ""}},
		"tracking, missing":     {nil, track, expect{"wandb-key", Fail, "there is no Secret wandb", "printenv WANDB_API_KEY"}},
		"tracking, other":       {[]runtime.Object{secret("wandb", "api", "wb")}, track, expect{"wandb-key", Fail, "it has: api", "--wandb-secret wandb:api"}},
		"tracking, newline":     {[]runtime.Object{secret("wandb", "key", "wb\n")}, track, expect{"wandb-key", Fail, "a newline", "wandb.ai/authorize"}},
		"tracking, wrong":       {[]runtime.Object{secret("wandb", "key", "old")}, track, expect{"wandb-key", Fail, "does not know the key from Secret wandb", "wandb.ai/authorize"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := subject(t, tt.objects...)
			answers(t, s, world)
			if tt.change != nil {
				tt.change(s)
			}
			s.expects(t, tt.want)
		})
	}
}

// What the Hub says of a token may repeat it: it goes no further.
func TestNoTokenIsRepeated(t *testing.T) {
	s := subject(t, secret("hf-secret", "hf_api_token", canary+"\n"), secret("wandb", "key", canary))
	answers(t, s, world)
	s.Model, s.PublishRepo, s.WandBSecret, s.HFToken, s.WandBKey = "gated/model", "ann/sums", &SecretKey{"wandb", "key"}, canary, canary
	text, err := json.Marshal(NewReport(s, Run(t.Context(), s, 5e9)))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), canary) || !strings.Contains(string(text), "Your token [token] is of no use.") {
		t.Errorf("%s", text)
	}
}

func TestEgress(t *testing.T) {
	s := subject(t)
	answers(t, s, world)
	s.Image = strings.TrimPrefix(s.Hub.Endpoint, "http://") + "/vllm:v1"
	s.expects(t, expect{"egress", Pass, "all answer (from this machine, which says nothing of the pods)", ""})
	s.Image = "127.0.0.1:1/vllm:v1"
	got := s.expects(t, expect{"egress", Warn, "no answer from: image registry (from this machine", "HTTPS_PROXY"})
	if got.Items[2].Result != Warn || got.Items[0].Result != Pass || !strings.HasPrefix(got.Items[2].Detail, "http://127.0.0.1:1/v2/: 127.0.0.1:1 refuses") {
		t.Errorf("%+v", got.Items)
	}
	for image, want := range map[string]string{
		"vllm/vllm-openai:v1": "https://registry-1.docker.io/v2/", "vllm": "https://registry-1.docker.io/v2/", "docker.io/a/b:c": "https://registry-1.docker.io/v2/",
		"ghcr.io/a/b@sha256:0": "https://ghcr.io/v2/", "localhost:5000/a:b": "http://localhost:5000/v2/",
	} {
		if got := registryOf(image); got != want {
			t.Errorf("%s: %s", image, got)
		}
	}
}
