package render

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestStaleFiles: what an earlier render of this release wrote is named, whichever way the
// chart of that time quoted the label; what belongs to others is not.
func TestStaleFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	label := func(value string) string {
		return ours + "templates/x.yaml\nmetadata:\n  labels:\n    app.kubernetes.io/instance: " + value + "\n    a: b\n"
	}
	current := map[string]bool{write("current.yaml", label(`"calls"`)): true}
	plain, quoted := write("plain.yaml", label("calls")), write("quoted.yaml", label(`"calls"`))
	write("longer.yaml", label("calls-2"))
	write("longer-quoted.yaml", label(`"calls-2"`))
	write("other.yaml", label(`"mail"`))
	write("foreign.yaml", "app.kubernetes.io/instance: calls\n")

	var out bytes.Buffer
	if err := noteStale(&out, dir, "calls", current); err != nil {
		t.Fatal(err)
	}
	const rest = " is from an earlier render and no longer part of it: remove it\n"
	if want := "note: " + plain + rest + "note: " + quoted + rest; out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}
