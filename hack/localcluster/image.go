package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/images"
	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/cluster"
)

func image(flags *flag.FlagSet) action {
	check := flags.Bool("check", false, "only say whether this machine can build the image")
	onlyBuild := flags.Bool("build", false, "build the image, and what the Hub serves to it, without a cluster")
	return simple(1, func(ctx context.Context, c *cluster.Cluster, args []string) error {
		if _, ok := images.Ref(args[0]); !ok {
			return usageError{fmt.Errorf("no image %q: it is one of %s", args[0], strings.Join(images.Names(), ", "))}
		}
		if err := images.Check(args[0], c.Cache); err != nil || *check {
			return err
		}
		archive, err := buildImage(ctx, c, args[0])
		if err != nil || *onlyBuild {
			return err
		}
		return provide(ctx, c, archive)
	})(flags)
}

// buildImage builds a model server image unless the cache has it.
func buildImage(ctx context.Context, c *cluster.Cluster, name string) (images.Archive, error) {
	if name == "vllm-cpu" {
		// This image downloads its model, so the Hub must have one.
		if err := images.PrepareHub(ctx, c.Cache, os.Stderr); err != nil {
			return images.Archive{}, err
		}
	}
	return images.Build(ctx, name, c.Cache, os.Stderr)
}

// provide loads an image unless containerd has just that one already: like the cache it outlives `down`.
func provide(ctx context.Context, c *cluster.Cluster, archive images.Archive) error {
	ref := archive.Ref
	if has, err := c.HasImage(ctx, ref, archive.Digest); err != nil {
		return err
	} else if has {
		fmt.Println(ref)
		return nil
	}
	stream, err := archive.Open()
	if err != nil {
		return err
	}
	defer stream.Close()
	fmt.Fprintf(os.Stderr, "importing %s\n", ref)
	if _, err := c.Load(ctx, progress(stream, os.Stderr)); err != nil {
		return err
	}
	fmt.Println(ref)
	return nil
}

// progress reports how much went through, so that gigabytes are not waited for in silence.
func progress(r io.Reader, log io.Writer) io.Reader {
	return &reporter{Reader: r, log: log, next: time.Now().Add(5 * time.Second)}
}

type reporter struct {
	io.Reader
	log  io.Writer
	done int64
	next time.Time
}

func (r *reporter) Read(buffer []byte) (int, error) {
	n, err := r.Reader.Read(buffer)
	r.done += int64(n)
	if time.Now().After(r.next) {
		fmt.Fprintf(r.log, "imported %d MB\n", r.done>>20)
		r.next = time.Now().Add(5 * time.Second)
	}
	return n, err
}
