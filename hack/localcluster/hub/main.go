package hub

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// urlFile is where serve leaves its address for `hub url`.
const urlFile = "url"

// Main runs `hub serve` or `hub url` and returns the exit code: 0 done, 1 failed, 2 usage.
func Main(args []string) int {
	if len(args) == 0 || (args[0] != "serve" && args[0] != "url") {
		fmt.Fprintln(os.Stderr, "usage: hub serve [--root DIR] [--uploads DIR] [--packages DIR] [--listen ADDR] | hub url [--root DIR]")
		return 2
	}
	flags := flag.NewFlagSet("hub "+args[0], flag.ContinueOnError)
	var o Options
	flags.StringVar(&o.Root, "root", defaultRoot(), "directory of the repositories that were made beforehand")
	listen := "127.0.0.1:0"
	if args[0] == "serve" {
		flags.StringVar(&o.Uploads, "uploads", "", "directory of what clients upload; without it nothing is taken")
		flags.StringVar(&o.Packages, "packages", "", "directory of the Python package index's files")
		flags.StringVar(&listen, "listen", listen, "address to serve on")
		flags.String("cluster", "", "state directory of the cluster that it belongs to: the process is found by it")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return 2
	}
	var err error
	if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "hub %s: unexpected argument %q\n", args[0], flags.Arg(0))
		return 2
	} else if args[0] == "serve" {
		err = serve(o, listen)
	} else {
		err = printURL(o.Root)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "hub %s: %v\n", args[0], err)
		return 1
	}
	return 0
}

func defaultRoot() string {
	cache := os.Getenv("SUMMARIZER_CACHE")
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "hub"
		}
		cache = filepath.Join(base, "kubectl-summarizer")
	}
	return filepath.Join(cache, "hub")
}

func serve(o Options, listen string) error {
	if _, err := os.Stat(filepath.Join(o.Root, models)); err != nil {
		return fmt.Errorf("no models under %s: %w", o.Root, err)
	}
	if o.Uploads != "" {
		if err := os.MkdirAll(o.Uploads, 0o755); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	path := filepath.Join(o.Root, urlFile)
	if err := os.WriteFile(path, []byte("http://"+reachable(listener.Addr())+"\n"), 0o644); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Handler: Handler(o, os.Stderr), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = server.Close()
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, os.Remove(path))
}

// reachable is the address to dial: a server on all addresses is dialled on loopback.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
}

func printURL(root string) error {
	data, err := os.ReadFile(filepath.Join(root, urlFile))
	if err != nil {
		return fmt.Errorf("the Hub stand-in is not running (no %s): start it with 'localcluster up'", filepath.Join(root, urlFile))
	}
	url := strings.TrimSpace(string(data))
	client := http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get(url + "/healthz")
	if err != nil {
		return fmt.Errorf("the Hub stand-in at %s does not answer: restart it with 'localcluster up': %w", url, err)
	}
	answer.Body.Close()
	fmt.Println(url)
	return nil
}
