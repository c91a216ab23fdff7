// Command vllm stands in for vLLM's program in the simulator's image: `vllm serve` takes exactly the
// options of vLLM 0.32.0, refuses others in its words, and runs llm-d-inference-sim behind them.
//
// Not as the real one: --host, --uds, --api-key and everything about GPUs, memory and compilation is
// checked and has no effect; values inside JSON configurations are not checked; the
// simulator finishes streams for at most 30 s after SIGTERM however long --shutdown-timeout is.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// simulator is the program that serves, beside this one in the image.
const simulator = "llm-d-inference-sim"

func main() {
	if len(os.Args) < 2 || os.Args[1] != "serve" {
		fmt.Fprintln(os.Stderr, "vllm: error: this is the simulator's stand-in: it knows `vllm serve` alone")
		os.Exit(2)
	}
	p, err := readArgs(os.Args[2:])
	if err != nil {
		os.Exit(report(err))
	}
	code, err := serve(p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "vllm:", err)
	}
	os.Exit(code)
}

func readArgs(args []string) (parsed, error) {
	table := loadTable()
	args, err := preprocess(table, args)
	if err != nil {
		return parsed{}, err
	}
	return table.parse(args)
}

// report prints an error as the real program does and returns its exit code.
func report(err error) int {
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(os.Stderr, "usage: %s [model_tag] [options]\n%v\n", usage.prog, usage)
		return 2
	}
	fmt.Fprintf(os.Stderr, "Traceback (most recent call last):\n%v\n", err)
	return 1
}

func serve(p parsed) (int, error) {
	if p.has("help") {
		fmt.Println("usage: vllm serve [model_tag] [options]\n\nThe options of vLLM 0.32.0; llm-d-inference-sim serves.")
		return 0, nil
	}
	if err := checkLocal(modelOf(p)); err != nil {
		return report(err), nil
	}
	played, err := readPlay(os.Getenv)
	if err != nil {
		return 1, err
	}
	args, err := simulatorArgs(p, os.Getenv)
	if err != nil {
		return 1, err
	}
	began := time.Now()
	stop := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		close(stop)
	}()
	model := modelOf(p)
	played.start(os.Stderr, model, contextOf(p, model), p.get("port", "8000"), stop)
	select {
	case <-stop:
		return 0, nil
	default:
	}
	child := exec.Command(simulator, args...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	// A group of its own: a Ctrl-C in a terminal reaches the child through this process alone.
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := child.Start(); err != nil {
		return 1, fmt.Errorf("start %s: %w", simulator, err)
	}
	done := make(chan int, 1)
	go func() { done <- exitCode(child.Wait()) }()
	var crash <-chan time.Time
	if played.crashes {
		crash = time.After(played.crashAt - time.Since(began))
	}
	select {
	case code := <-done:
		return code, nil
	case <-crash:
		_ = child.Process.Kill()
		played.crash()
	case <-stop:
	}
	return drain(p, child.Process, done), nil
}

// drain lets running requests finish for --shutdown-timeout seconds, which is 0 unless set: then
// they are cut at once, as the real server does.
func drain(p parsed, child *os.Process, done <-chan int) int {
	limit, _ := strconv.Atoi(p.get("shutdown-timeout", "0"))
	_ = child.Signal(syscall.SIGTERM)
	select {
	case <-done:
	case <-time.After(time.Duration(limit) * time.Second):
		_ = child.Kill()
		<-done
	}
	return 0
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	// The simulator prints its start-up errors and ends with 0.
	return 1
}
