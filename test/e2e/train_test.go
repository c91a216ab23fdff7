//go:build e2e

package e2e

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const smallModel = "HuggingFaceTB/SmolLM2-135M-Instruct"

// training starts a run of a few steps on the example dialogues, on CPU and with what the local cluster has.
func training(ns, name string, more ...string) []string {
	return append([]string{
		"train", name, "-n", ns, "--model", smallModel, "--data", "../../examples/dialogues", "--device", "cpu",
		"--image", "localhost/vllm-cpu:v0.32.0", "--image-pull-policy", "Never",
		"--hub-endpoint", "http://hub.local-hub.svc", "--package-index", "http://hub.local-hub.svc/simple",
		"--batch-size", "4", "--effective-batch-size", "4", "--set", "training.logSteps=1",
		"--set", "evaluation.maxNewTokens=40",
	}, more...)
}

// TestTrainingLoop walks from dialogues to a served adapter with the real program: two runs, one of them preempted,
// compared, published, promoted and asked.
func TestTrainingLoop(t *testing.T) {
	hubURL(t)
	ns := namespace(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "hf-secret"}, StringData: map[string]string{"hf_api_token": "hf_localWriter"}}
	if _, err := env.client.CoreV1().Secrets(ns).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	run(t, training(ns, "loop", "--max-steps", "10", "--save-steps", "2", "--learning-rate", "5e-4", "--detach")...).exits(t, 0).
		prints(t, `^run/loop created$`).says(t, `runs follow loop -n `+ns)
	preempted(t, ns)
	// Not beside the other: two programs that each want all cores get a tenth of them.
	run(t, training(ns, "short", "--max-steps", "2")...).exits(t, 0).
		prints(t, `^tuned +\d`).prints(t, `^base model +\d`).prints(t, `^first 3 lines +\d`).
		says(t, `^training: .*2 steps`).says(t, `short: 2 steps in .* on CPU`)

	t.Run("the record outlives the pods", func(t *testing.T) { recorded(t, ns) })
	t.Run("list and show", func(t *testing.T) {
		run(t, "runs", "-n", ns).exits(t, 0).
			prints(t, `^loop +`+smallModel+` +Succeeded +10/10`).prints(t, `^short +`+smallModel+` +Succeeded +2/2`)
		run(t, "runs", "show", "loop", "-n", ns).exits(t, 0).prints(t, `^data +local files: 180 examples to train, 30 to validate, 30 to judge`)
	})
	t.Run("compare", func(t *testing.T) {
		run(t, "compare", "loop", "short", "-n", ns).exits(t, 0).prints(t, `^rouge1|ROUGE-1`).prints(t, `better|worse|no difference`)
		run(t, "compare", "loop", "loop", "-n", ns).exits(t, 2).oneError(t)
	})
	t.Run("a name that is taken", func(t *testing.T) {
		run(t, training(ns, "loop", "--detach")...).oneError(t).exits(t, 3).says(t, `loop`)
	})

	run(t, cpu(ns, "summarizer")...).exits(t, 0)
	t.Run("promote from the volume", func(t *testing.T) {
		run(t, "promote", "loop", "-n", ns, "--canary", "20").oneError(t).exits(t, 3).says(t, `GKE Autopilot lets no pod without a GPU`)
		// After two steps it says much the same as its base: one answer of the probe's that differs is enough.
		promoted(t, run(t, "promote", "short", "-n", ns, "--name", "from-volume"), "from-volume")
		run(t, "query", "-n", ns, "--max-tokens", "16", "--model", "from-volume", dialogue).exits(t, 0)
	})
	t.Run("publish", func(t *testing.T) {
		commit := regexp.MustCompile(`local/loop/commit/[0-9a-f]{40}`)
		first := run(t, "publish", "loop", "--repo", "local/loop", "-n", ns).exits(t, 0).says(t, `local/loop is published, and private`)
		again := run(t, "publish", "loop", "--repo", "local/loop", "-n", ns).exits(t, 0)
		if one, two := commit.FindString(first.stdout), commit.FindString(again.stdout); one == "" || one != two {
			t.Errorf("published at %q and, unchanged, at %q", one, two)
		}
		run(t, "publish", "loop", "--repo", "others/loop", "-n", ns).oneError(t).exits(t, 1).says(t, `others/loop`)
	})
	t.Run("promote from the Hub, compared", func(t *testing.T) {
		r := run(t, "promote", "loop", "-n", ns, "--canary", "20", "--against", smallModel)
		promoted(t, r.says(t, `canary: (better|no difference): ROUGE-1 on 20 examples`), "loop")
		base := run(t, "query", "-n", ns, "--max-tokens", "48", dialogue).exits(t, 0)
		tuned := run(t, "query", "-n", ns, "--max-tokens", "48", "--model", "loop", dialogue).exits(t, 0)
		if base.stdout == tuned.stdout {
			t.Errorf("adapter and base both say %q", base.stdout)
		}
	})
	t.Run("delete", func(t *testing.T) {
		run(t, "runs", "delete", "loop", "-n", ns).exits(t, 3).oneError(t)
		run(t, "runs", "delete", "loop", "-n", ns, "--yes").exits(t, 0)
		run(t, "runs", "delete", "short", "-n", ns, "--yes").exits(t, 3).oneError(t).says(t, `release summarizer .* serves from the volume of run short`)
		left := helper(t, env.kubectl, "get", "job,configmap,persistentvolumeclaim,serviceaccount,role,rolebinding,pod", "-n", ns, "-l", "app.kubernetes.io/instance=loop", "-o", "name")
		if strings.TrimSpace(left) != "" {
			t.Errorf("left:\n%s", left)
		}
	})
}

// preempted takes the node's place: it evicts the training's pod once it has written a checkpoint, and sees another
// go on from it.
func preempted(t *testing.T, ns string) {
	t.Helper()
	b := start(t, "runs", "follow", "loop", "-n", ns, "--timeout", "15m")
	var first string
	eventually(t, 8*time.Minute, func() string {
		pods, err := env.client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=loop,app.kubernetes.io/component=train"})
		if err != nil || len(pods.Items) == 0 {
			return "the training has no pod: " + b.stderr()
		}
		first = pods.Items[0].Name
		log, err := env.client.CoreV1().Pods(ns).GetLogs(first, &corev1.PodLogOptions{}).DoRaw(t.Context())
		if err != nil || !strings.Contains(string(log), `"checkpoint"`) {
			return "the training writes no checkpoint: " + b.stderr()
		}
		return ""
	})
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: first, Namespace: ns}}
	if err := env.client.PolicyV1().Evictions(ns).Evict(t.Context(), eviction); err != nil {
		t.Fatal(err)
	}
	b.wait(t, 15*time.Minute).exits(t, 0).says(t, `; a new pod goes on`).says(t, `^goes on from step [1-9]`)
	job, err := env.client.BatchV1().Jobs(ns).Get(t.Context(), "train-loop", metav1.GetOptions{})
	if err != nil || job.Status.Succeeded != 1 {
		t.Errorf("%v, status %+v", err, job.Status)
	}
}

// recorded reads what the run left in the cluster, and how little its ServiceAccount may do.
func recorded(t *testing.T, ns string) {
	t.Helper()
	record, err := env.client.CoreV1().ConfigMaps(ns).Get(t.Context(), "train-loop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"run.yaml", "options.json", "prepared.json", "progress.json", "result.json", "scores.json"} {
		if record.Data[key] == "" {
			t.Errorf("the record has no %s", key)
		}
	}
	var result struct {
		Status   string
		Training struct{ Resumed, Steps int }
	}
	if err := json.Unmarshal([]byte(record.Data["result.json"]), &result); err != nil || result.Status != "succeeded" || result.Training.Resumed != 1 || result.Training.Steps != 10 {
		t.Errorf("%v, result %+v", err, result)
	}
	for _, test := range []struct {
		verb, resource, name string
		may                  bool
	}{
		{"get", "configmaps", "train-loop", true},
		{"patch", "configmaps", "train-short", false},
		{"list", "configmaps", "", false},
		{"get", "secrets", "hf-secret", false},
		{"create", "pods", "", false},
	} {
		review, err := env.client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User:               "system:serviceaccount:" + ns + ":train-loop",
				ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: ns, Verb: test.verb, Resource: test.resource, Name: test.name},
			},
		}, metav1.CreateOptions{})
		if err != nil || review.Status.Allowed != test.may {
			t.Errorf("%v: may the run %s %s %s? %v, want %v", err, test.verb, test.resource, test.name, review.Status.Allowed, test.may)
		}
	}
}

// promoted asserts that a promotion ended well.
func promoted(t *testing.T, r result, served string) {
	t.Helper()
	r.exits(t, 0).says(t, `probe: [1-9]\d* of \d+ answers of `+served+` differ`).prints(t, `query --release summarizer --model `+served)
}
