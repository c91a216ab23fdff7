// Command localcluster runs a real Kubernetes cluster on one machine without Docker, without a registry
// and without the internet beyond the Go module proxy and Debian's packages.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/hub"
	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/images"
	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/build"
	"github.com/kubectl-summarizer/kubectl-summarizer/hack/localcluster/internal/cluster"
)

const usage = `usage: localcluster VERB [--name NAME] [flags]

  up          start the cluster, or repair what of it does not run (up --help for its flags)
  down        end it; only the cache stays
  status      components, nodes and URLs; exit code 4 when something is not well
  kubeconfig  print the path of the kubeconfig
  kubectl     print the path of the kubectl that was built with the cluster
  load FILE   import an image archive (- reads standard input)
  image NAME  build a model server image if needed and load it: vllm-cpu, vllm-sim
              (--check only says whether this machine can build it, --build loads nothing)
  in-image    run a command in an image's files: in-image [--bind DIR:/mnt/X]... IMAGE COMMAND...
  uv          print the path of uv, the installer of Python packages
  program     print the path of this program, which is static: it runs in any image
  logs NAME   print the log of a component
  hub         the stand-in of the Hugging Face Hub: hub url, hub serve
`

// errUnwell ends status with its own exit code; the table has said why.
var errUnwell = errors.New("the cluster is not well")

// usageError ends with exit code 2.
type usageError struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	code := 0
	var wrong usageError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUnwell):
		code = 4
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "localcluster: interrupted; the same command again continues")
		code = 130
	case errors.As(err, &wrong):
		fmt.Fprintln(os.Stderr, "localcluster:", err)
		code = 2
	default:
		fmt.Fprintln(os.Stderr, "localcluster:", err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Print(usage)
		return nil
	}
	verb, args := args[0], args[1:]
	switch {
	case verb == "hub" && len(args) > 0 && args[0] == "url":
		verb, args = "hub url", args[1:]
	case verb == "hub":
		// It reads its own flags.
		os.Exit(hub.Main(args))
	case verb == "in-image":
		// Its flags end where the command begins.
		return inImage(ctx, args)
	}
	known, ok := verbs[verb]
	if !ok {
		return usageError{fmt.Errorf("no verb %q: `localcluster help` lists them", verb)}
	}
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	name := flags.String("name", "default", "name of the cluster")
	start := known(flags)
	rest, err := parse(flags, args)
	if err != nil {
		return err
	}
	cache, err := cacheDir()
	if err != nil {
		return err
	}
	c, err := cluster.Open(*name, cache)
	switch {
	case errors.Is(err, cluster.ErrBroken) && verb == "down":
		fmt.Fprintln(os.Stderr, "config.json cannot be read: kernel settings that `up` has changed stay as they are")
	case errors.Is(err, cluster.ErrBroken):
		return err
	case err != nil:
		return usageError{err}
	}
	return start(ctx, c, flags, rest)
}

// parse takes flags before and after the arguments, which it returns.
func parse(flags *flag.FlagSet, args []string) ([]string, error) {
	flags.SetOutput(io.Discard)
	var rest []string
	for {
		err := flags.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			fmt.Printf("usage: localcluster %s [flags]\n", flags.Name())
			flags.SetOutput(os.Stdout)
			flags.PrintDefaults()
			return nil, err
		}
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w (`localcluster %[1]s --help` lists its flags)", flags.Name(), err)}
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// action runs a verb once its flags are parsed; it gets the arguments that are none.
type action func(context.Context, *cluster.Cluster, *flag.FlagSet, []string) error

// verbs define their flags first and return what to do then.
var verbs = map[string]func(*flag.FlagSet) action{
	"up":   up,
	"down": simple(0, down),
	"status": simple(0, func(ctx context.Context, c *cluster.Cluster, _ []string) error {
		programs, _, err := build.Find(c.Cache, sourceDir())
		if err != nil {
			return err
		}
		well, err := c.Status(ctx, programs, os.Stdout)
		if err == nil && !well {
			return errUnwell
		}
		return err
	}),
	"kubeconfig": simple(0, func(_ context.Context, c *cluster.Cluster, _ []string) error {
		if !c.Exists() {
			return fmt.Errorf("cluster %s does not exist: `localcluster up` makes it", c.Name)
		}
		fmt.Println(c.Kubeconfig())
		return nil
	}),
	"kubectl": simple(0, func(ctx context.Context, c *cluster.Cluster, _ []string) error {
		programs, err := build.Ensure(ctx, c.Cache, sourceDir(), os.Stderr)
		if err != nil {
			return err
		}
		fmt.Println(programs.Path("kubectl"))
		return nil
	}),
	"program": simple(0, func(context.Context, *cluster.Cluster, []string) error {
		path, err := os.Executable()
		if err == nil {
			fmt.Println(path)
		}
		return err
	}),
	"uv": simple(0, func(ctx context.Context, c *cluster.Cluster, _ []string) error {
		path, err := images.EnsureUV(ctx, c.Cache, os.Stderr)
		if err == nil {
			fmt.Println(path)
		}
		return err
	}),
	"load":  simple(1, load),
	"image": image,
	"logs":  simple(1, logs),
	"hub url": simple(0, func(_ context.Context, c *cluster.Cluster, _ []string) error {
		if !c.Exists() {
			return fmt.Errorf("cluster %s does not exist: `localcluster up` makes it", c.Name)
		}
		fmt.Println(c.HubURL())
		return nil
	}),
	// What `up` starts for the default StorageClass.
	"provisioner": func(flags *flag.FlagSet) action {
		flags.String("cluster", "", "state directory of the cluster: the process is found by it")
		return simple(0, func(ctx context.Context, c *cluster.Cluster, _ []string) error {
			return c.Provision(ctx, os.Stderr)
		})(flags)
	},
}

// simple is a verb without flags of its own that takes count arguments.
func simple(count int, do func(context.Context, *cluster.Cluster, []string) error) func(*flag.FlagSet) action {
	return func(*flag.FlagSet) action {
		return func(ctx context.Context, c *cluster.Cluster, flags *flag.FlagSet, args []string) error {
			if len(args) != count {
				return usageError{fmt.Errorf("%s takes %d arguments, not %d: `localcluster help` says which", flags.Name(), count, len(args))}
			}
			return do(ctx, c, args)
		}
	}
}

func down(ctx context.Context, c *cluster.Cluster, _ []string) error {
	unlock, err := c.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	return c.Down(ctx, os.Stderr)
}

func load(ctx context.Context, c *cluster.Cluster, args []string) error {
	var archive io.Reader = os.Stdin
	if args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		archive = file
	}
	said, err := c.Load(ctx, progress(archive, os.Stderr))
	if err == nil {
		fmt.Println(said)
	}
	return err
}

func logs(_ context.Context, c *cluster.Cluster, args []string) error {
	file, err := os.Open(c.Table().LogPath(filepath.Base(args[0])))
	if err != nil {
		programs, _, findErr := build.Find(c.Cache, sourceDir())
		if findErr != nil {
			return findErr
		}
		return usageError{fmt.Errorf("cluster %s has no log of %q; its components are %s", c.Name, args[0], c.ComponentNames(programs))}
	}
	defer file.Close()
	_, err = io.Copy(os.Stdout, file)
	return err
}

// cacheDir is where everything slow to make lies, as hack/cachedir prints it.
func cacheDir() (string, error) {
	dir := os.Getenv("SUMMARIZER_CACHE")
	if dir == "" {
		base := os.Getenv("XDG_CACHE_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", err
			}
			base = filepath.Join(home, ".cache")
		}
		dir = filepath.Join(base, "kubectl-summarizer")
	}
	return filepath.Abs(dir)
}

// sourceDir holds the servers' module: hack/localcluster.sh says where it lies.
func sourceDir() string {
	return filepath.Join(strings.TrimSpace(os.Getenv("LOCALCLUSTER_SOURCE")), "servers")
}
