// Command podtool is the only program in the cluster's own image: it holds a
// pod's sandbox open, and shows from inside a pod what the network gives.
//
//	podtool               wait until told to end
//	podtool resolve NAME  print the addresses of a name
//	podtool get URL       print what a URL answers
//	podtool serve ADDR    answer every request with the host's name
//	podtool write FILE    write a line to a file and print it back
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	args := os.Args[1:]
	var err error
	switch {
	case len(args) == 0:
		wait()
	case len(args) == 2 && args[0] == "resolve":
		err = resolve(args[1])
	case len(args) == 2 && args[0] == "get":
		err = get(args[1])
	case len(args) == 2 && args[0] == "serve":
		err = serve(args[1])
	case len(args) == 2 && args[0] == "write":
		err = write(args[1])
	default:
		err = fmt.Errorf("usage: podtool [resolve NAME | get URL | serve ADDR | write FILE]")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func wait() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	children := make(chan os.Signal, 8)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		select {
		case <-ended:
			return
		case <-children:
			// As the first process of a shared process namespace it inherits the orphans.
			for {
				if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || pid <= 0 {
					break
				}
			}
		}
	}
}

func resolve(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		fmt.Println(address)
	}
	return nil
}

func get(url string) error {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

func serve(address string) error {
	go func() {
		wait()
		os.Exit(0)
	}()
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	fmt.Println("serving on", address)
	return http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprintln(w, "hello from", host)
	}))
}

func write(path string) error {
	if err := os.WriteFile(path, []byte("written\n"), 0o600); err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	fmt.Print(string(data))
	return err
}
