package cluster

import "testing"

func TestKVCacheTokens(t *testing.T) {
	for log, want := range map[string]int{
		"(EngineCore pid=33) INFO 11-23 10:00:00 [kv_cache_utils.py:1307] GPU KV cache size: 48,064 tokens\nready\n":             48064,
		"INFO [kv_cache_utils.py:1] GPU KV cache size: 970 tokens, Maximum concurrency for 512 tokens per request: 1":            970,
		"INFO [kv_cache_utils.py:2327] CPU KV cache size: 5,824 tokens, Maximum concurrency for 2,048 tokens per request: 2.84x": 5824,
		"no such line": 0,
		"GPU KV cache size: 99999999999999999999 tokens": 0,
	} {
		if got := kvCacheTokens(log); got != want {
			t.Errorf("%q: %d, want %d", log, got, want)
		}
	}
}
