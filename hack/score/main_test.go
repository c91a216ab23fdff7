package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const table = `id,source,vllm_version,engine,gpu,gpu_total_gib,model,params_b,weight_dtype,quantization,tp,gpu_memory_utilization,max_model_len,max_num_seqs,max_num_batched_tokens,kv_cache_dtype,enforce_eager,lora,model_load_gib,available_kv_gib,kv_tokens,max_concurrency,needed_kv_gib,est_max_len,fits,notes
1,log,0.30.0,V1,L4,22.04,NousResearch/Meta-Llama-3.1-8B,8.03,bf16,none,1,0.9,4096,256,2048,auto,no,no,15.0,3.98,32592,7.96,,,yes,warm
2,log,0.32.0,V1,L4,22.03,google/gemma-3-12b-it,12.2,bf16,none,1,0.92,4096,,,auto,no,no,,,,,,,no,
3,log,0.32.0,V1,,,some/thing,1,bf16,none,1,0.92,4096,,,auto,no,no,,,100,,,,yes,
`

func TestScoresATable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "logs.csv")
	if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{"-v", file}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 rows", "ours", "KAITO", "llm-d-planner", "id 3: ", "Meta-Llama-3.1-8B", "+0.8 %", "ours           1                0.8 %"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if err := run([]string{file + ".gone"}, &out); err == nil {
		t.Error("a file that is not there is no error")
	}
}
