package main

import "github.com/datakit/datakit/bench/wire"

// commits9P measures durable commits of one client over 9P beside Git's
// plumbing, which is not durable.
func commits9P(e *env) ([]row, error) {
	srv, err := e.serveNew("commit9p")
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	c, err := wire.DialBlocking(srv.socket, 64<<10, "")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	t, err := newTxClient(c, "master", 0)
	if err != nil {
		return nil, err
	}
	p, err := newPlumber(e)
	if err != nil {
		return nil, err
	}
	m, err := interleave(e, p.rate, func() (float64, error) { return rate(e.size.turn, t.commit) })
	if err != nil {
		return nil, err
	}
	return []row{{name: "commits over 9P, 1 client", unit: "1/s", ours: m[1], alt: m[0],
		altName: "git plumbing", goal: times(5), note: "10× is the aim"}}, nil
}

// serveNew serves a new repository.
func (e *env) serveNew(name string) (*server, error) {
	dir, err := e.temp(name)
	if err != nil {
		return nil, err
	}
	return e.serveDatakit(dir)
}
