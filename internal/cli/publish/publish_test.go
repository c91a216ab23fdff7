package publish

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/cli/factory"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/failure"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs"
	"github.com/kubectl-summarizer/kubectl-summarizer/internal/runs/runstest"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/train"
)

// cookies is a run that ended well, with a Secret that may write.
func cookies(t *testing.T, change func([]runtime.Object)) []runtime.Object {
	options := train.Options{Namespace: runstest.Namespace, HFSecret: train.SecretKey{Name: "hf-secret", Key: "hf_api_token", Optional: true}}
	objects := runstest.Objects(t, runstest.Spec("cookies"), options)
	text, err := runs.EncodeOptions(options)
	if err != nil {
		t.Fatal(err)
	}
	runstest.Record(t, objects, "cookies", runs.KeyOptions, text)
	runstest.Record(t, objects, "cookies", train.KeyResult, runstest.Result("cookies", 0.5))
	runstest.Job(objects, "train-cookies", runstest.Ended(batchv1.JobComplete, "", ""))
	if change != nil {
		change(objects)
	}
	return append(objects, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "hf-secret", Namespace: runstest.Namespace}, Data: map[string][]byte{"hf_api_token": []byte("x"), "write": []byte("y")},
	})
}

// ran is how the verb ended, and what Job it made.
type ran struct {
	out, errOut string
	err         error
	job         *unstructured.Unstructured
}

func (r ran) manifest() string {
	text, err := r.job.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// publish runs the verb on these objects; the Job that it makes ends with this code after its
// program has said these lines.
func publish(t *testing.T, objects []runtime.Object, code int32, lines []string, args ...string) (r ran) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		streams, _, out, errOut := genericiooptions.NewTestIOStreams()
		var mu sync.Mutex
		streams.ErrOut = writer(func(p []byte) { mu.Lock(); errOut.Write(p); mu.Unlock() })
		f := factory.New(streams)
		o := &options{f: f}
		client, dynamic := runstest.New(objects...), runstest.NewDynamic(objects...)
		o.client, o.dynamic = client, dynamic
		// What is created is seen by the typed client too, and its pod runs.
		dynamic.PrependReactor("create", "jobs", func(action clienttesting.Action) (bool, runtime.Object, error) {
			r.job = action.(clienttesting.CreateAction).GetObject().(*unstructured.Unstructured)
			made := &batchv1.Job{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(r.job.Object, made); err != nil {
				return true, nil, err
			}
			made.UID = "job"
			if err := client.Tracker().Create(batchv1.SchemeGroupVersion.WithResource("jobs"), made, runstest.Namespace); err != nil {
				return true, nil, err
			}
			go perform(t, client, made, code, lines)
			return false, nil, nil
		})
		cmd := NewCmd(f)
		_ = cmd.ParseFlags(args)
		o.name = "cookies"
		o.repo, _ = cmd.Flags().GetString("repo")
		o.hfSecret, _ = cmd.Flags().GetString("hf-secret")
		o.public, _ = cmd.Flags().GetBool("public")
		o.merged, _ = cmd.Flags().GetBool("merged")
		namespace := runstest.Namespace
		f.Config.Namespace = &namespace
		if r.err = o.validate(); r.err == nil {
			r.err = o.run(t.Context())
		}
		r.out, r.errOut = out.String(), errOut.String()
	})
	return r
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// perform is a pod that does the Job.
func perform(t *testing.T, client *runstest.Client, job *batchv1.Job, code int32, lines []string) {
	script := runstest.Script{T: t, Client: client, Run: "cookies"}
	owned := func(change func(*corev1.Pod)) *corev1.Pod {
		return runstest.Pod("cookies", train.ComponentPublish, "p", 10, func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: job.Name, UID: types.UID("job"), Controller: new(true)}}
			change(p)
		})
	}
	time.Sleep(3 * time.Second)
	script.Pod(owned(runstest.Running))
	client.Say("p", lines...)
	time.Sleep(3 * time.Second)
	last := ""
	if len(lines) > 0 {
		last = lines[len(lines)-1]
	}
	script.Pod(owned(runstest.Exited(code, "Error", last)))
	if code == 0 {
		script.Job(job.Name, runstest.Ended(batchv1.JobComplete, "", ""))
		return
	}
	script.Job(job.Name, runstest.Ended(batchv1.JobFailed, "PodFailurePolicy", "exit code"))
}

const done = `{"event":"published","time":"2026-11-25T10:06:00Z","repo":"team/cookies","revision":"0123abc","url":"https://hub/team/cookies/commit/0123abc","private":true}`

func TestPublish(t *testing.T) {
	lines := []string{`{"event":"phase","time":"2026-11-25T10:06:00Z","phase":"publish","detail":"4 files, 20 MB, to team/cookies"}`, done}
	r := publish(t, cookies(t, nil), 0, lines, "--repo", "team/cookies")
	if r.err != nil || r.out != "https://hub/team/cookies/commit/0123abc\n" {
		t.Fatalf("%v\n%s%s", r.err, r.out, r.errOut)
	}
	if !strings.Contains(r.errOut, "publishing: 4 files, 20 MB, to team/cookies\n") || !strings.HasSuffix(r.errOut, "\nteam/cookies is published, and private. Try:\n  kubectl summarizer promote cookies --from hub -n ml\n") {
		t.Errorf("stderr:\n%s", r.errOut)
	}
	if text := r.manifest(); !strings.Contains(text, `"name":"HF_TOKEN"`) || strings.Contains(text, "nvidia.com/gpu") {
		t.Error(text)
	}
}

func TestTheTokenThatWrites(t *testing.T) {
	r := publish(t, cookies(t, nil), 0, []string{done}, "--repo", "team/cookies", "--hf-secret", "hf-secret:write")
	if r.err != nil || !strings.Contains(r.manifest(), `"secretKeyRef":{"key":"write","name":"hf-secret","optional":false}`) {
		t.Errorf("%v %s", r.err, r.manifest())
	}
}

func TestWhatCannotBePublished(t *testing.T) {
	refused := `{"event":"error","kind":"refused","message":"the adapter was trained on data under cc-by-nc-nd-4.0","next":"publish it privately, or add acceptDataLicence: true"}`
	for name, test := range map[string]struct {
		objects []runtime.Object
		code    int32
		args    []string
		kind    failure.Kind
		says    string
		next    string
	}{
		"the program refuses": {cookies(t, nil), 3, []string{"--repo", "team/cookies", "--public"}, failure.Failed, "run cookies could not be published: the adapter was trained on data", "publish it privately, or add --accept-data-licence\nsee its log: kubectl logs -n ml job/train-cookies-publish"},
		"no repository":       {nil, 0, nil, failure.Usage, "--repo ORG/NAME", ""},
		"no id":               {nil, 0, []string{"--repo", "cookies"}, failure.Usage, "write ORG/NAME", ""},
		"a token":             {nil, 0, []string{"--repo", "team/cookies", "--hf-secret", "hf_abcdefghijklmnopqrstuvwxyz0123"}, failure.Usage, "that is a token", ""},
		"no run":              {nil, 0, []string{"--repo", "team/cookies"}, failure.Failed, `there is no run "cookies"`, ""},
		"no result": {runstest.Objects(t, runstest.Spec("cookies"), train.Options{}), 0, []string{"--repo", "team/cookies"}, failure.Refused,
			"has no result to publish: it is pending", "runs show cookies -n ml"},
		"no Secret": {cookies(t, nil), 0, []string{"--repo", "team/cookies", "--hf-secret", "other"}, failure.Refused, `the Secret "other" does not exist`, "kubectl create secret"},
		"no key":    {cookies(t, nil), 0, []string{"--repo", "team/cookies", "--hf-secret", "hf-secret:nope"}, failure.Refused, `has no key "nope"; it has: hf_api_token, write`, ""},
	} {
		r := publish(t, test.objects, test.code, []string{refused}, test.args...)
		err := r.err
		if failure.KindOf(err) != test.kind || err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(failure.NextOf(err), test.next) {
			t.Errorf("%s: %v\n%s", name, err, failure.NextOf(err))
		}
		if err != nil && strings.Contains(err.Error(), "hf_abc") {
			t.Errorf("%s: the token is repeated: %v", name, err)
		}
	}
}

// Who may not read logs gets the commit from the record.
func TestWithoutALog(t *testing.T) {
	objects := cookies(t, func(objects []runtime.Object) {
		runstest.Record(t, objects, "cookies", runs.KeyPublished, runs.Published{Repo: "team/cookies", Revision: "0123abc", URL: "https://hub/team/cookies/commit/0123abc"})
	})
	r := publish(t, objects, 0, nil, "--repo", "team/cookies")
	if r.err != nil || r.out != "https://hub/team/cookies/commit/0123abc\n" || !strings.Contains(r.errOut, "is published, and public") {
		t.Errorf("%v\n%s%s", r.err, r.out, r.errOut)
	}
}

// A volume that a server has on its node is found there only.
func TestNextToTheServer(t *testing.T) {
	server := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "server", Namespace: runstest.Namespace},
		Spec: corev1.PodSpec{
			NodeName: "gpu-1", Tolerations: []corev1.Toleration{{Key: "nvidia.com/gpu", Operator: corev1.TolerationOpExists}},
			Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "train-cookies"}}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
	r := publish(t, append(cookies(t, nil), server), 0, []string{done}, "--repo", "team/cookies")
	text := r.manifest()
	if r.err != nil || !strings.Contains(text, `"nodeSelector":{"kubernetes.io/hostname":"gpu-1"}`) || !strings.Contains(text, `"key":"nvidia.com/gpu"`) {
		t.Errorf("%v %s", r.err, text)
	}
}
