package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/bench/wire"
	"github.com/datakit/datakit/gitdb"
)

// A readSet is one set of files and the servers that serve it: ours, from a
// snapshot, and those that serve a directory, as far as they are installed.
type readSet struct {
	dir     string
	servers []*server // ours is the first
}

// The length of a small file, and how many of them a directory holds.
const (
	smallSize  = 1024
	smallInDir = 100
)

// newReadSet serves files, from paths to contents.
func newReadSet(e *env, files map[string][]byte) (*readSet, error) {
	dir, err := e.temp("read")
	if err != nil {
		return nil, err
	}
	s := &readSet{dir: filepath.Join(dir, "files")}
	if err := writeFiles(s.dir, files); err != nil {
		return nil, err
	}
	repo := filepath.Join(dir, "repo")
	head, err := commitFiles(e, repo, s.dir)
	if err != nil {
		return nil, err
	}
	ours, err := e.serveDatakit(repo)
	if err != nil {
		return nil, err
	}
	ours.prefix = []string{"snapshots", head.String(), "ro"}
	s.servers = append(s.servers, ours)
	for _, start := range []func(*env, string) (*server, error){serveDiod, serveP9ufs} {
		other, err := start(e, s.dir)
		if err != nil {
			e.logf("without an alternative: %v", err)
			continue
		}
		s.servers = append(s.servers, other)
	}
	return s, nil
}

func (s *readSet) stop() {
	for _, srv := range s.servers {
		srv.stop()
	}
}

// serveDiod serves dir with diod, Debian's package of that name.
func serveDiod(e *env, dir string) (*server, error) {
	bin, err := exec.LookPath("diod")
	if err != nil {
		bin, err = exec.LookPath("/usr/sbin/diod")
	}
	if err != nil {
		return nil, err
	}
	socket, err := e.socket("diod")
	if err != nil {
		return nil, err
	}
	s, err := e.serve("diod", socket, bin, "--foreground", "--no-auth", "--no-userdb",
		"--config-file", os.DevNull, "--logdest", "stderr", "--listen", socket, "--export", dir)
	if err == nil {
		s.aname = dir
	}
	return s, err
}

// serveP9ufs serves dir with the command p9ufs of github.com/hugelgupf/p9.
func serveP9ufs(e *env, dir string) (*server, error) {
	bin, err := e.p9ufs()
	if err != nil {
		return nil, err
	}
	socket, err := e.socket("p9ufs")
	if err != nil {
		return nil, err
	}
	return e.serve("p9ufs", socket, bin, "-root", dir, "-unix", socket)
}

func writeFiles(dir string, files map[string][]byte) error {
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// commitFiles commits what is below dir to a new repository.
func commitFiles(e *env, repo, dir string) (datakit.Hash, error) {
	db, err := gitdb.Open(repo, nil)
	if err != nil {
		return datakit.Hash{}, err
	}
	defer db.Close()
	b := db.Branch("master")
	err = b.Update(e.ctx, "files", func(tx *datakit.Tx) error {
		return fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || name == ".":
				return err
			case d.IsDir():
				return tx.Mkdir(e.ctx, datakit.Path(name))
			}
			content, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			return tx.WriteFile(e.ctx, datakit.Path(name), content)
		})
	})
	if err != nil {
		return datakit.Hash{}, err
	}
	return b.Head(e.ctx)
}

// The fid of the directory that holds the files, and the first that is free.
const (
	filesFid = 1
	freeFid  = 2
)

// open connects to the server and walks to the files.
func (s *server) open(msize uint32) (*wire.Conn, error) {
	c, err := wire.DialBlocking(s.socket, msize, s.aname)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	if err := c.Walk(0, filesFid, s.prefix...); err != nil {
		c.Close()
		return nil, fmt.Errorf("%s: walk to the files: %w", s.name, err)
	}
	return c, nil
}

// compare lets f measure each server in turns and makes a row of ours against
// the best other. More is better.
func (s *readSet) compare(e *env, r row, f func(*server) (float64, error)) (row, error) {
	var contenders []func() (float64, error)
	for _, srv := range s.servers {
		contenders = append(contenders, func() (float64, error) { return f(srv) })
	}
	m, err := interleave(e, contenders...)
	if err != nil {
		return r, err
	}
	r.ours = m[0]
	var all []string
	for i, v := range m[1:] {
		name := s.servers[i+1].name
		all = append(all, name+" "+number(v))
		if v > r.alt {
			r.alt, r.altName = v, name
		}
	}
	r.note = strings.Join(all, ", ")
	return r, nil
}

// random returns n bytes that do not compress.
func random(seed uint64, n int64) []byte {
	b := make([]byte, n)
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	rand.NewChaCha8(key).Read(b)
	return b
}

// text returns n bytes that compress as well as program text does.
func text(seed uint64, n int64) []byte {
	words := bytes.Fields([]byte("func return if err nil range for var the a of and to in is it " +
		"commit tree branch head path string int error context value package import type struct"))
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, 0, n+32)
	for int64(len(b)) < n {
		b = append(b, words[r.IntN(len(words))]...)
		if r.IntN(4) == 0 {
			b = fmt.Appendf(b, "%d", r.IntN(10000))
		}
		b = append(b, " \n\t(."[r.IntN(5)])
	}
	return b[:n]
}
