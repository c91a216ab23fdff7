package plan_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/catalog"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/fit"
	"github.com/kubectl-summarizer/kubectl-summarizer/pkg/plan"
)

func values(t *testing.T, text string) map[string]any {
	t.Helper()
	v := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func mistral(gpu, engine string) string {
	return `{"model":{"id":"mistralai/Mistral-7B-Instruct-v0.3"},"image":{"tag":"v0.32.0"},"platform":"nvidia","gpu":{` + gpu + `},"engine":{` + engine + `}}`
}

// The chart's values reach the calculator as the chart would render them.
func TestValuesAreReadAsTheChartReadsThem(t *testing.T) {
	for name, c := range map[string]struct {
		values string
		check  func(*plan.Plan) bool
	}{
		"32k is 32000":                   {mistral(`"accelerator":"nvidia-a100-80gb"`, `"maxModelLen":"32k"`), func(p *plan.Plan) bool { return p.MaxModelLen == 32000 }},
		"32K is 32768":                   {mistral(`"accelerator":"nvidia-a100-80gb"`, `"maxModelLen":"32K"`), func(p *plan.Plan) bool { return p.MaxModelLen == 32768 }},
		"auto is the most that fits":     {mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":"auto"`), func(p *plan.Plan) bool { return p.MaxModelLen == p.LargestContext && p.Fits }},
		"no utilization is vLLM's":       {mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":8192,"gpuMemoryUtilization":null`), func(p *plan.Plan) bool { return p.Utilization == 0.92 }},
		"a utilization as text":          {mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":8192,"gpuMemoryUtilization":"0.8"`), func(p *plan.Plan) bool { return p.Utilization == 0.8 }},
		"GPUs are split over":            {mistral(`"accelerator":"nvidia-l4","count":2`, `"maxModelLen":8192`), func(p *plan.Plan) bool { return p.WeightsGiB < 7 && p.GPUs == 2 }},
		"stages and tensors":             {mistral(`"accelerator":"nvidia-l4","count":4,"nodes":2`, `"maxModelLen":8192`), func(p *plan.Plan) bool { return p.WeightsGiB < 2.2 && p.Nodes == 2 }},
		"pipeline among extraArgs":       {mistral(`"accelerator":"nvidia-l4","count":2`, `"maxModelLen":8192,"extraArgs":["--pipeline-parallel-size","2"]`), func(p *plan.Plan) bool { return p.WeightsGiB > 6.6 && p.WeightsGiB < 7.1 }},
		"a partition's memory":           {mistral(`"accelerator":"nvidia-tesla-a100","sharing":{"strategy":"mig","partition":"3g.20gb"}`, `"maxModelLen":8192`), func(p *plan.Plan) bool { return p.GPUGiB == 19.62 && p.Partition == "3g.20gb" }},
		"tenants":                        {mistral(`"accelerator":"nvidia-h100-80gb","sharing":{"strategy":"mps","clients":3}`, `"maxModelLen":8192`), func(p *plan.Plan) bool { return p.Tenants == 3 && p.BudgetGiB < 79.18/3 && p.Fits }},
		"clients of none":                {mistral(`"accelerator":"nvidia-l4","sharing":{"strategy":"none","clients":3}`, `"maxModelLen":8192`), func(p *plan.Plan) bool { return p.Tenants == 1 }},
		"the image's release":            {strings.Replace(mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":8192`), "v0.32.0", "v0.9.2", 1), func(p *plan.Plan) bool { return p.VLLM == "0.9.2" && p.Utilization == 0.9 }},
		"a tag that is no release":       {strings.Replace(mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":8192`), "v0.32.0", "latest", 1), func(p *plan.Plan) bool { return p.VLLM == fit.Default.String() }},
		"adapters take places":           {strings.Replace(mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":8192,"maxLoraRank":32`), `"model"`, `"adapters":[{"name":"a"},{"name":"b"}],"model"`, 1), func(p *plan.Plan) bool { return strings.Contains(p.Parts[1].How, "2 of rank 32") }},
		"what sharing costs is said":     {mistral(`"accelerator":"nvidia-h100-80gb","sharing":{"strategy":"time-sharing","clients":2}`, `"maxModelLen":8192`), func(p *plan.Plan) bool { return strings.Contains(strings.Join(p.Notes, "\n"), "isolates no memory") }},
		"the size of the files, rounded": {mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":8192`), func(p *plan.Plan) bool { return p.Values()["model"].(map[string]any)["weightsGiB"] == 13.6 }},
	} {
		p, err := plan.Make(values(t, c.values), plan.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !c.check(p) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// What is stated for a tenant is below what is expected, and enough for one request.
func TestStatedCache(t *testing.T) {
	p, err := plan.Make(values(t, mistral(`"accelerator":"nvidia-h100-80gb","sharing":{"strategy":"time-sharing","clients":3}`, `"maxModelLen":8192`)), plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	need := p.KVCacheGiB - p.HeadroomGiB
	if stated := p.StatedKVGiB(); stated >= p.KVCacheGiB || stated < need || stated < p.KVCacheGiB-p.Band.GiB-0.011 {
		t.Errorf("stated %.2f of %.2f GiB (band %.2f), one request needs %.2f", stated, p.KVCacheGiB, p.Band.GiB, need)
	}
}

func TestWhatIsNotKnown(t *testing.T) {
	for what, c := range map[string]struct {
		values  string
		options plan.Options
	}{
		"model":          {strings.Replace(mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":8192`), "mistralai/Mistral-7B-Instruct-v0.3", "team/x", 1), plan.Options{}},
		"accelerator":    {mistral(`"accelerator":"quantum"`, `"maxModelLen":8192`), plan.Options{}},
		"partition":      {mistral(`"accelerator":"nvidia-l4","sharing":{"strategy":"mig","partition":"1g.5gb"}`, `"maxModelLen":8192`), plan.Options{}},
		"quantization":   {mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":8192,"quantization":"torchao"`), plan.Options{}},
		"KV cache dtype": {mistral(`"accelerator":"nvidia-l4"`, `"maxModelLen":8192,"kvCacheDtype":"turboquant_4bit_nc"`), plan.Options{}},
	} {
		_, err := plan.Make(values(t, c.values), c.options)
		var unknown *plan.Unknown
		if !errors.As(err, &unknown) || unknown.What != what {
			t.Errorf("%s: %v", what, err)
		}
	}
	config := []byte(`{"model_type":"llama","num_hidden_layers":2,"hidden_size":64,"num_attention_heads":4,"vocab_size":100,"max_position_embeddings":4096}`)
	v := values(t, strings.Replace(mistral(`"accelerator":"quantum"`, `"maxModelLen":2048`), "mistralai/Mistral-7B-Instruct-v0.3", "team/x", 1))
	if p, err := plan.Make(v, plan.Options{Config: config, AcceleratorGiB: 40}); err != nil || !p.Fits || p.GPUGiB != 40 {
		t.Errorf("with its config.json and the GPU's memory: %v, %+v", err, p)
	}
	_, err := plan.Make(v, plan.Options{Config: []byte("{"), AcceleratorGiB: 40})
	var told *catalog.ConfigError
	if !errors.As(err, &told) {
		t.Errorf("%v", err)
	}
}
