package images

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// PyPI's torch for Linux is built for CUDA and will not load without 2.7 GB of NVIDIA's
// libraries, of which a CPU calls nothing. In their place go libraries that have the names which
// torch looks for, and stop the process with a sentence should one ever be called.

var (
	// cudaName tells NVIDIA's C functions from other symbols that carry no version.
	cudaName = regexp.MustCompile(`^_*(cu|nccl|nv)[a-zA-Z]`)
	cudaFile = regexp.MustCompile(`^lib(cu|nccl|nv)`)
)

// stubSpec is one missing library: soname, and the functions by version name ("" for none).
type stubSpec struct {
	soname string
	names  map[string]map[string]bool
}

// missingLibraries finds what the shared objects in dirs link against and is neither among them nor in have.
func missingLibraries(dirs []string, have []string) ([]stubSpec, error) {
	present := map[string]bool{}
	defined := map[string]bool{}
	specs := map[string]*stubSpec{}
	loose := map[string]map[string]bool{}
	var objects []*elf.File
	for _, path := range append(slices.Clone(have), sharedObjects(dirs)...) {
		f, err := elf.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		defer f.Close()
		objects = append(objects, f)
		present[filepath.Base(path)] = true
		symbols, err := f.DynamicSymbols()
		if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		for _, s := range symbols {
			if s.Section != elf.SHN_UNDEF {
				defined[s.Name] = true
			}
		}
	}
	for _, f := range objects {
		needed, err := f.ImportedLibraries()
		if err != nil {
			return nil, err
		}
		for _, lib := range needed {
			if !present[lib] && cudaLibrary(lib) && specs[lib] == nil {
				specs[lib] = &stubSpec{soname: lib, names: map[string]map[string]bool{}}
			}
		}
	}
	for _, f := range objects {
		imported, err := f.ImportedSymbols()
		if err != nil {
			return nil, err
		}
		needed, _ := f.ImportedLibraries()
		for _, s := range imported {
			if spec := specs[s.Library]; spec != nil {
				spec.add(s.Version, s.Name)
			} else if s.Version == "" && !defined[s.Name] && cudaName.MatchString(s.Name) {
				for _, lib := range needed {
					if specs[lib] != nil {
						addTo(loose, lib, s.Name)
						break
					}
				}
			}
		}
	}
	for lib, names := range loose {
		for name := range names {
			specs[lib].add("", name)
		}
	}
	var out []stubSpec
	for _, lib := range slices.Sorted(maps.Keys(specs)) {
		out = append(out, *specs[lib])
	}
	return out, nil
}

func (s *stubSpec) add(version, name string) { addTo(s.names, version, name) }

func addTo(m map[string]map[string]bool, key, value string) {
	if m[key] == nil {
		m[key] = map[string]bool{}
	}
	m[key][value] = true
}

// cudaLibrary leaves out libcuda.so.1, the driver: only torch's lazily opened NVRTC bridge names
// it, and a program that finds one would believe that there is a GPU.
func cudaLibrary(soname string) bool {
	return soname != "libcuda.so.1" && cudaFile.MatchString(soname)
}

func sharedObjects(dirs []string) []string {
	var out []string
	for _, dir := range dirs {
		matches, _ := filepath.Glob(filepath.Join(dir, "*.so*"))
		out = append(out, matches...)
	}
	return out
}

// writeStub compiles one stub library into dir.
func writeStub(ctx context.Context, spec stubSpec, dir string) error {
	var source, versions strings.Builder
	fmt.Fprintf(&source, "#include <stdlib.h>\n#include <unistd.h>\n"+
		"static const char said[] = %q;\n"+
		"static void stop(void) { if (write(2, said, sizeof said - 1)) abort(); abort(); }\n",
		"this image runs on the CPU: NVIDIA's libraries are not in it\n")
	for _, version := range slices.Sorted(maps.Keys(spec.names)) {
		if version != "" {
			fmt.Fprintf(&versions, "%s { global:\n", version)
		}
		for _, name := range slices.Sorted(maps.Keys(spec.names[version])) {
			fmt.Fprintf(&source, "void %s(void) __attribute__((alias(\"stop\")));\n", name)
			if version != "" {
				fmt.Fprintf(&versions, "  %s;\n", name)
			}
		}
		if version != "" {
			fmt.Fprintf(&versions, "};\n")
		}
	}
	tmp, err := os.MkdirTemp("", "stub")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	c := filepath.Join(tmp, "stub.c")
	if err := os.WriteFile(c, []byte(source.String()), 0o600); err != nil {
		return err
	}
	args := []string{"-shared", "-fPIC", "-fno-builtin", "-O1", "-w", "-s", "-Wl,-soname," + spec.soname, "-o", filepath.Join(dir, spec.soname), c}
	if versions.Len() > 0 {
		script := filepath.Join(tmp, "versions")
		if err := os.WriteFile(script, []byte(versions.String()), 0o600); err != nil {
			return err
		}
		args = append(args, "-Wl,--version-script,"+script)
	}
	return command(ctx, nil, "gcc", args...)
}
