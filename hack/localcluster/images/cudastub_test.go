package images

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestStub builds a library that links against versioned and unversioned CUDA functions, takes
// the real ones away, and loads it with the stubs: binding at once, so that none may be missing.
func TestStub(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is not installed: the images are built where it is")
	}
	dir, provider := t.TempDir(), t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(name string, args ...string) (string, error) {
		out, err := exec.Command(name, args...).CombinedOutput()
		return string(out), err
	}
	compile := func(args ...string) {
		if out, err := run(gcc, args...); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	compile("-shared", "-fPIC", "-o", provider+"/libcublas.so.13", "-Wl,-soname,libcublas.so.13",
		"-Wl,--version-script,"+write("v", "libcublas.so.13 { global: cublasCreate_v2; };\n"), write("a.c", "void cublasCreate_v2(void){}\n"))
	compile("-shared", "-fPIC", "-o", provider+"/libnccl.so.2", "-Wl,-soname,libnccl.so.2", write("b.c", "void ncclInit(void){}\n"))
	compile("-shared", "-fPIC", "-o", dir+"/libtorch_cuda.so", write("c.c",
		"void cublasCreate_v2(void); void ncclInit(void); void use(int n){ if (n==1) cublasCreate_v2(); if (n==2) ncclInit(); }\n"),
		provider+"/libcublas.so.13", provider+"/libnccl.so.2", "-Wl,-rpath,$ORIGIN")
	compile("-o", dir+"/main", write("m.c", "void use(int); int main(int c, char**v){ use(c); return 0; }\n"),
		dir+"/libtorch_cuda.so", "-Wl,-rpath,$ORIGIN", "-Wl,--allow-shlib-undefined", "-Wl,-z,now")
	if out, err := run(dir + "/main"); err == nil {
		t.Fatalf("loads without its libraries: %s", out)
	}

	stubs, err := missingLibraries([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stubs {
		if err := writeStub(context.Background(), s, dir); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := run("env", "LD_BIND_NOW=1", dir+"/main", "x", "y"); err != nil {
		t.Fatalf("does not load with the stubs: %v\n%s", err, out)
	}
	for args, function := range map[string]string{"": "cublasCreate_v2", "x": "ncclInit"} {
		out, err := run(dir+"/main", strings.Fields(args)...)
		if err == nil || !strings.Contains(out, "this image runs on the CPU: NVIDIA's libraries are not in it") {
			t.Errorf("a call of %s: %v, %q", function, err, out)
		}
	}
}
