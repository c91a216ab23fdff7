package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/images"
)

// inImage runs a command in an image's files, in place of this process: its exit code and its signals are the command's.
// The flags end at the image's name; what follows is the command's.
func inImage(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("in-image", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var binds []images.Bind
	flags.Func("bind", "SOURCE:TARGET[:ro]: show a directory at /mnt or below it (can be repeated)", func(text string) error {
		bind, err := images.ParseBind(text)
		binds = append(binds, bind)
		return err
	})
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Println("usage: localcluster in-image [--bind SOURCE:TARGET[:ro]]... IMAGE COMMAND...")
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		return err
	} else if err != nil {
		return usageError{fmt.Errorf("in-image: %w", err)}
	}
	if flags.NArg() < 2 {
		return usageError{errors.New("in-image takes an image and a command: in-image [--bind SOURCE:TARGET[:ro]]... IMAGE COMMAND")}
	}
	name, command := flags.Arg(0), flags.Args()[1:]
	if _, ok := images.Ref(name); !ok {
		return usageError{fmt.Errorf("no image %q: it is one of %s", name, strings.Join(images.Names(), ", "))}
	}
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	if err := images.Check(name, cache); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("in-image mounts and needs root: run this as root")
	}
	if _, err := images.Build(ctx, name, cache, os.Stderr); err != nil {
		return err
	}
	root, err := images.Root(name, cache)
	if err != nil {
		return err
	}
	run := images.InRootWith(ctx, root, binds, command...)
	if run.Err != nil {
		return run.Err
	}
	return syscall.Exec(run.Path, run.Args, run.Env)
}
