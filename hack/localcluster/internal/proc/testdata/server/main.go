// Command server listens with many threads and much memory, so that its death takes time.
package main

import (
	"net"
	"os"
	"runtime"
	"time"
)

func main() {
	for range 64 {
		go func() {
			runtime.LockOSThread()
			memory := make([]byte, 4<<20)
			for i := range memory {
				memory[i] = 1
			}
			time.Sleep(time.Hour)
			runtime.KeepAlive(memory)
		}()
	}
	time.Sleep(50 * time.Millisecond)
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	for {
		if conn, err := listener.Accept(); err == nil {
			conn.Close()
		}
	}
}
