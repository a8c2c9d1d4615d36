// A server that gives profiles as a licensed Mattermost does: Go's net/http/pprof, on a free port of this machine.
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
)

func work(done <-chan struct{}) {
	total := 0
	for {
		select {
		case <-done:
			fmt.Println(total)
			return
		default:
			total++
		}
	}
}

func main() {
	runtime.SetBlockProfileRate(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	waiting := make(chan struct{})
	go func() { // something for the block profile
		<-waiting
	}()
	waiting <- struct{}{}
	go work(make(chan struct{}))
	fmt.Println(listener.Addr())
	fmt.Fprintln(os.Stderr, http.Serve(listener, nil))
}
