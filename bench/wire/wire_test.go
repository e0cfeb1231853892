package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
)

// A script is a server that has its answers ready, whatever it is asked.
type script struct {
	answers *bytes.Reader
	asked   bytes.Buffer
}

func (s *script) Read(p []byte) (int, error)  { return s.answers.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.asked.Write(p) }
func (s *script) Close() error                { return nil }

// answer returns a message.
func answer(typ uint8, tag uint16, body ...byte) []byte {
	f := begin(nil, typ, tag)
	f.b = append(f.b, body...)
	return f.end()
}

// session returns the answers that begin a session with an msize of 256.
func session() []byte {
	version := append([]byte{0, 1, 0, 0, 8, 0}, "9P2000.L"...)
	return append(answer(Tversion+1, noTag, version...), answer(Tattach+1, 0, make([]byte, 13)...)...)
}

// entry returns what a directory has for a file.
func entry(name string, off uint64) []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 13), off)
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(name)))
	return append(b, name...)
}

func TestReaddir(t *testing.T) {
	list := append(entry("one", 7), entry("two", 9)...)
	body := append(binary.LittleEndian.AppendUint32(nil, uint32(len(list))), list...)
	s := &script{answers: bytes.NewReader(append(session(), answer(Treaddir+1, 0, body...)...))}
	c, err := New(s, 8192, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Msize() != 256 {
		t.Errorf("Msize() = %d, want 256", c.Msize())
	}
	if n, next, err := c.Readdir(1, 0, 200); n != 2 || next != 9 || err != nil {
		t.Errorf("Readdir = %d, %d, %v, want 2, 9", n, next, err)
	}
}

func TestErrorsAndOrder(t *testing.T) {
	in := append(session(), answer(rlerror, 2, 17, 0, 0, 0)...)
	in = append(in, answer(Tread+1, 1, 3, 0, 0, 0, 'a', 'b', 'c')...)
	c, err := New(&script{answers: bytes.NewReader(in)}, 8192, "")
	if err != nil {
		t.Fatal(err)
	}
	if tag, _, err := c.Next(); tag != 2 || !errors.Is(err, Exist) {
		t.Errorf("Next = %d, %v, want 2, %v", tag, err, Exist)
	}
	if !c.Buffered() {
		t.Error("the second answer is not there")
	}
	if tag, body, err := c.Next(); tag != 1 || string(Data(body)) != "abc" || err != nil {
		t.Errorf("Next = %d, %q, %v, want 1, abc", tag, Data(body), err)
	}
	if _, _, err := c.Next(); err != io.EOF {
		t.Errorf("Next at the end = %v, want %v", err, io.EOF)
	}
}

// FuzzAnswers feeds a client with what no server should send.
func FuzzAnswers(f *testing.F) {
	f.Add(session())
	f.Add(append(session(), answer(Treaddir+1, 0, append([]byte{27, 0, 0, 0}, entry("one", 7)...)...)...))
	f.Add([]byte{3, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := New(&script{answers: bytes.NewReader(in)}, 8192, "")
		if err != nil {
			return
		}
		c.Readdir(1, 0, 200)
		for {
			var refused Errno
			if _, body, err := c.Next(); err != nil && !errors.As(err, &refused) {
				return
			} else if err == nil {
				entries(Data(body), 0)
			}
		}
	})
}
