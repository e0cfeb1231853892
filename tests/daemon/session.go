package daemon

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"strings"

	"github.com/hugelgupf/p9/p9"
)

// A Session is a 9P2000.L connection to a Daemon. Its methods are for one
// goroutine, except Close, which ends what waits. Paths are written with
// slashes; a slash inside a branch name is written as %2F.
type Session struct {
	client *p9.Client
	root   p9.File
}

// Dial connects to the server on the Unix socket addr.
func Dial(addr string) (*Session, error) {
	conn, err := net.Dial("unix", addr)
	if err != nil {
		return nil, err
	}
	client, err := p9.NewClient(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	root, err := client.Attach("")
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &Session{client, root}, nil
}

// Close ends the connection.
func (s *Session) Close() error { return s.client.Close() }

// walk returns a new fid for a path. The caller closes it.
func (s *Session) walk(name string) (p9.File, error) {
	var names []string
	if name != "" {
		names = strings.Split(name, "/")
	}
	_, f, err := s.root.Walk(names)
	if err != nil {
		return nil, fmt.Errorf("walk %s: %w", name, err)
	}
	return f, nil
}

// Read returns the content of a file.
func (s *Session) Read(name string) (string, error) {
	f, err := s.walk(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, _, err := f.Open(p9.ReadOnly); err != nil {
		return "", fmt.Errorf("open %s: %w", name, err)
	}
	var all []byte
	buf := make([]byte, 32<<10)
	for {
		n, err := f.ReadAt(buf, int64(len(all)))
		all = append(all, buf[:n]...)
		if err != nil && !atEnd(err) {
			return "", fmt.Errorf("read %s: %w", name, err)
		}
		if n == 0 || err != nil {
			return string(all), nil
		}
	}
}

// atEnd tells the end of a file from the end of the connection, which the
// client also reports as io.EOF, but wrapped.
func atEnd(err error) bool { return err == io.EOF }

// Write writes text at the beginning of a file that exists.
func (s *Session) Write(name, text string) error {
	f, err := s.walk(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, _, err := f.Open(p9.ReadWrite); err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// Create makes a file with the content text.
func (s *Session) Create(name, text string) error {
	dir, err := s.walk(path.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close() // the fid of the new file, once created
	f, _, _, err := dir.Create(path.Base(name), p9.ReadWrite, 0o644, 0, 0)
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// Mkdir makes a directory.
func (s *Session) Mkdir(name string) error {
	dir, err := s.walk(path.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	if _, err := dir.Mkdir(path.Base(name), 0o755, 0, 0); err != nil {
		return fmt.Errorf("mkdir %s: %w", name, err)
	}
	return nil
}

// Remove removes a file or an empty directory; a branch or transaction whole.
func (s *Session) Remove(name string) error {
	f, err := s.walk(name)
	if err != nil {
		return err
	}
	r, ok := f.(interface{ Remove() error })
	if !ok {
		f.Close()
		return fmt.Errorf("remove %s: the client cannot", name)
	}
	return r.Remove()
}

// Commit commits the files, by path, to branch in a transaction named tx. The
// directories of the files must exist, or be one level below the root of the
// tree.
func (s *Session) Commit(branch, tx, msg string, files map[string]string) error {
	dir := "branch/" + branch + "/transactions/" + tx
	if err := s.Mkdir(dir); err != nil {
		return err
	}
	err := s.fill(dir, msg, files)
	if err == nil {
		err = s.Write(dir+"/ctl", "commit")
	}
	if err != nil {
		return errors.Join(err, s.Write(dir+"/ctl", "close"))
	}
	return nil
}

// fill writes message and files into a transaction.
func (s *Session) fill(dir, msg string, files map[string]string) error {
	if err := s.Write(dir+"/msg", msg); err != nil {
		return err
	}
	for name, text := range files {
		if sub := path.Dir(name); sub != "." {
			if f, err := s.walk(dir + "/rw/" + sub); err == nil {
				f.Close()
			} else if err := s.Mkdir(dir + "/rw/" + sub); err != nil {
				return err
			}
		}
		if err := s.Create(dir+"/rw/"+name, text); err != nil {
			return err
		}
	}
	return nil
}

// Stream opens a file that delivers lines, and returns a function that waits
// for the next. Nothing else may be done with the Session then, but Close.
func (s *Session) Stream(name string) (next func() (string, error), err error) {
	f, err := s.walk(name)
	if err != nil {
		return nil, err
	}
	if _, _, err := f.Open(p9.ReadOnly); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	var pos int64
	buf := make([]byte, 512)
	return func() (string, error) {
		for {
			n, err := f.ReadAt(buf, pos)
			pos += int64(n)
			if n > 0 {
				return strings.TrimSuffix(string(buf[:n]), "\n"), nil
			}
			if err != nil && !atEnd(err) {
				return "", fmt.Errorf("read %s: %w", name, err)
			}
		}
	}, nil
}
