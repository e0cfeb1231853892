package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path"
	"strings"
	"time"

	"github.com/datakit/datakit/internal/endpoint"
	"github.com/datakit/datakit/p9"
)

// client is the program dk of the scripts:
//
//	dk ADDRESS cat PATH
//	dk ADDRESS ls PATH
//	dk ADDRESS write PATH TEXT
//	dk ADDRESS mkdir PATH
//	dk ADDRESS rm PATH
//	dk ADDRESS commit BRANCH FILE TEXT   one commit, whose message is TEXT
//	dk ADDRESS fetch URL BRANCH
//	dk ADDRESS stuck FILE                fetches from a server that does not
//	                                     answer before FILE is gone
//	dk ADDRESS hold FILE                 keeps a transaction and a stream open,
//	                                     and makes FILE to tell so
//	dk URL metric NAME VALUE             succeeds if the metric has the value
//	dk URL get                           prints an HTTP reply
//
// It waits for the server to start.
func client() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := clientMain(ctx, os.Args[1], os.Args[2], append(os.Args[3:], "", "", "")); err != nil {
		fmt.Fprintln(os.Stderr, "dk:", err)
		os.Exit(1)
	}
}

func clientMain(ctx context.Context, address, verb string, args []string) error {
	switch verb {
	case "get", "metric":
		return web(ctx, address, verb, args)
	}
	c, err := connect(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	switch verb {
	case "cat":
		content, err := c.ReadFile(ctx, args[0])
		os.Stdout.Write(content)
		return err
	case "ls":
		list, err := c.ReadDir(ctx, args[0])
		for _, e := range list {
			fmt.Println(e.Name)
		}
		return err
	case "write":
		return c.WriteFile(ctx, args[0], []byte(args[1]), 0o644)
	case "mkdir":
		return c.Mkdir(ctx, args[0], 0o755)
	case "rm":
		return c.Remove(ctx, args[0])
	case "commit":
		return commit(ctx, c, args[0], args[1], args[2])
	case "fetch":
		return fetch(ctx, c, args[0], args[1])
	case "stuck":
		return stuck(ctx, c, args[0])
	case "hold":
		return hold(ctx, c, args[0])
	}
	return errors.New("no such verb: " + verb)
}

// connect connects to a server, and waits until it listens.
func connect(ctx context.Context, address string) (*p9.Client, error) {
	a, err := endpoint.Parse(address, endpoint.DefaultPort)
	if err != nil {
		return nil, err
	}
	for {
		nc, err := a.Dial(ctx)
		if err == nil {
			return p9.NewClient(ctx, nc, &p9.Options{Version: "9P2000.u"}) // has texts of errors
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// begin opens a transaction on a branch, which it makes, and returns its path.
func begin(ctx context.Context, c *p9.Client, branch string) (string, error) {
	dir := path.Join("branch", strings.ReplaceAll(branch, "/", "%2F"))
	if _, err := c.Stat(ctx, dir); err != nil {
		if err := c.Mkdir(ctx, dir, 0o755); err != nil {
			return "", err
		}
	}
	tx := path.Join(dir, "transactions", "tx")
	return tx, c.Mkdir(ctx, tx, 0o755)
}

func commit(ctx context.Context, c *p9.Client, branch, file, text string) error {
	tx, err := begin(ctx, c, branch)
	if err != nil {
		return err
	}
	for _, f := range []struct{ name, text string }{{"rw/" + file, text}, {"msg", text}, {"ctl", "commit"}} {
		if err := c.WriteFile(ctx, path.Join(tx, f.name), []byte(f.text), 0o644); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func fetch(ctx context.Context, c *p9.Client, url, branch string) error {
	if err := c.Mkdir(ctx, "remotes/r", 0o755); err != nil {
		return err
	}
	if err := c.WriteFile(ctx, "remotes/r/url", []byte(url), 0o644); err != nil {
		return err
	}
	return c.WriteFile(ctx, "remotes/r/fetch", []byte(branch), 0o644)
}

// stuck fetches from a Git server that takes the connection and says nothing
// until file is gone. It succeeds if the answer to the fetch, which cannot but
// fail, arrives.
func stuck(ctx context.Context, c *p9.Client, file string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		os.WriteFile("stuck", nil, 0o644)
		for ctx.Err() == nil {
			if _, err := os.Lstat(file); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	err = fetch(ctx, c, fmt.Sprintf("git://%s/x", l.Addr()), "master")
	var refusal *p9.Error
	if errors.As(err, &refusal) {
		fmt.Println(refusal)
		return nil
	}
	return fmt.Errorf("the fetch ended with %v", err)
}

func hold(ctx context.Context, c *p9.Client, file string) error {
	if _, err := begin(ctx, c, "held"); err != nil {
		return err
	}
	s, err := c.OpenStream(ctx, "branch/held/head.live")
	if err != nil {
		return err
	}
	defer s.Close()
	if err := c.Mkdir(ctx, "remotes/held", 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	select {
	case <-stop:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// web gets an HTTP resource.
func web(ctx context.Context, url, verb string, args []string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if verb == "metric" {
		if !strings.Contains(string(body), "\n"+args[0]+" "+args[1]+"\n") {
			return errors.New("the metric does not have this value")
		}
		return nil
	}
	fmt.Printf("%s\n%s", resp.Status, body)
	return nil
}
