package refdb

import (
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/datakit/datakit"
)

// A packed is one state of packed-refs. The file has a line "HASH NAME" for
// each reference, sorted by name since Git 2.15. A line "^HASH" after one of a
// tag has the commit that the tag leads to; lines with "#" are comments. The
// names of a packed share the memory of its text.
type packed struct {
	text  string
	lines []uint32 // where the lines of references begin, sorted by name
	lo    int      // lines[lo:hi] are the branches
	hi    int

	info fs.FileInfo // of the file, nil if there is none
	file *os.File    // kept open, so that its inode is not used again
	read int64       // when it was read
}

// nameAt is where the name begins in a line.
const nameAt = 2*len(datakit.Hash{}) + 1

// readPacked reads the file at path. One that is not there is empty.
func (d *disk) readPacked(path string) (*packed, error) {
	f, err := d.open(path)
	if absent(err) {
		return &packed{}, nil
	} else if err != nil {
		return nil, err
	}
	p, err := readPackedFile(f)
	if err != nil || !keepOpen {
		f.Close()
		return p, err
	}
	p.file = f
	return p, nil
}

func readPackedFile(f *os.File) (*packed, error) {
	now := nowStamp()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	text.Grow(int(info.Size()))
	if _, err := io.Copy(&text, f); err != nil {
		return nil, err
	}
	p, err := parsePacked(text.String())
	if err != nil {
		return nil, err
	}
	p.info, p.read = info, now
	return p, nil
}

// current reports whether the file is still as it was read, given what the
// system says about it now, nil if it is not there. Git only ever replaces the
// file. So while it is kept open it is the same if it has the same inode;
// otherwise its time decides, if it is old enough.
func (p *packed) current(now fs.FileInfo) bool {
	if p.info == nil || now == nil {
		return p.info == nil && now == nil
	}
	same := os.SameFile(p.info, now) && p.info.Size() == now.Size() && p.info.ModTime().Equal(now.ModTime())
	return same && (p.file != nil || stampOf(p.info).settled(p.read) != stamp{})
}

func (p *packed) close() {
	if p.file != nil {
		p.file.Close()
	}
}

// parsePacked reads the text of a packed-refs file. Lines of branches with
// names that are not valid are passed over, as Git does.
func parsePacked(text string) (*packed, error) {
	if uint64(len(text)) > math.MaxUint32 {
		return nil, damaged("read", "packed-refs", "longer than 4 GiB")
	}
	p := &packed{text: text, lines: make([]uint32, 0, len(text)/64)}
	last, sorted := "", true
	for at := 0; at < len(text); {
		n := strings.IndexByte(text[at:], '\n')
		if n < 0 {
			return nil, damaged("read", "packed-refs", "the last line has no end")
		}
		line := text[at : at+n]
		if line != "" && (line[0] == '#' || line[0] == '^') {
			at += n + 1
			continue
		}
		if err := checkLine(line); err != nil {
			return nil, err
		}
		sorted = sorted && line[nameAt:] > last
		last = line[nameAt:]
		if branch, ok := strings.CutPrefix(last, headsPrefix); !ok || isBranch(branch) {
			p.lines = append(p.lines, uint32(at))
		}
		at += n + 1
	}
	if !sorted {
		return parsePacked(sortPacked(text))
	}
	p.lo, p.hi = p.search(headsPrefix), p.search("refs/heads0") // "0" comes after "/"
	return p, nil
}

// checkLine reports whether a line is that of a reference.
func checkLine(line string) error {
	ok := len(line) > nameAt && line[nameAt-1] == ' '
	for i := 0; ok && i < nameAt-1; i++ {
		c := line[i]
		ok = c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
	}
	if !ok {
		return damaged("read", "packed-refs", fmt.Sprintf("unexpected line %.100q", line))
	}
	return nil
}

// sortPacked returns text with its references in order, each with the line
// that belongs to it. Of several for one name the first stays.
func sortPacked(text string) string {
	var header string
	var refs []string
	for line := range strings.Lines(text) {
		switch {
		case line[0] == '#':
			header += line
		case line[0] == '^' && len(refs) > 0:
			refs[len(refs)-1] += line
		case line[0] != '^':
			refs = append(refs, line)
		}
	}
	slices.SortStableFunc(refs, func(a, b string) int { return strings.Compare(nameOf(a), nameOf(b)) })
	refs = slices.CompactFunc(refs, func(a, b string) bool { return nameOf(a) == nameOf(b) })
	return header + strings.Join(refs, "")
}

// name returns the whole name of reference i.
func (p *packed) name(i int) string { return nameOf(p.text[p.lines[i]:]) }

// nameOf returns the name in the line of a reference that text begins with.
func nameOf(text string) string {
	return text[nameAt : nameAt+strings.IndexByte(text[nameAt:], '\n')]
}

// branch returns the branch of reference i, which is one.
func (p *packed) branch(i int) string { return p.name(i)[len(headsPrefix):] }

// hash returns the hash of reference i.
func (p *packed) hash(i int) (h datakit.Hash) {
	at := int(p.lines[i])
	var digits [2 * len(h)]byte
	copy(digits[:], p.text[at:])
	hex.Decode(h[:], digits[:]) // the digits have been checked
	return h
}

// search returns the first reference whose name is not before name.
func (p *packed) search(name string) int {
	return sort.Search(len(p.lines), func(i int) bool { return p.name(i) >= name })
}

// find returns the hash of the reference with a whole name, or zero.
func (p *packed) find(name string) datakit.Hash {
	if i := p.search(name); i < len(p.lines) && p.name(i) == name {
		return p.hash(i)
	}
	return datakit.Hash{}
}

// searchBranch returns the first reference that is a branch and not before
// the given one, or hi.
func (p *packed) searchBranch(branch string) int {
	lo, hi := p.lo, p.hi
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if p.compare(mid, branch) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// compare compares the branch of reference i with another. It looks only at
// as many bytes as are needed: the end of a line sorts before all that can be
// in a name.
func (p *packed) compare(i int, branch string) int {
	name := p.text[int(p.lines[i])+nameAt+len(headsPrefix):]
	n := min(len(name), len(branch))
	switch c := strings.Compare(name[:n], branch[:n]); {
	case c != 0:
		return c
	case n == len(name): // branch has a line end, so it is none
		return -1
	case name[n] == '\n':
		return 0
	}
	return 1
}

// head returns the head of a branch, or zero.
func (p *packed) head(branch string) datakit.Hash {
	if i := p.searchBranch(branch); i < p.hi && p.compare(i, branch) == 0 {
		return p.hash(i)
	}
	return datakit.Hash{}
}

// below returns a branch whose name begins with branch and a slash, or "".
func (p *packed) below(branch string) string {
	prefix := branch + "/"
	if i := p.searchBranch(prefix); i < p.hi && strings.HasPrefix(p.branch(i), prefix) {
		return p.branch(i)
	}
	return ""
}

// without returns the text of the file less the lines of the given branches,
// in pieces.
func (p *packed) without(branches []string) []string {
	var cuts []uint32
	for _, b := range branches {
		if i := p.searchBranch(b); i < p.hi && p.compare(i, b) == 0 {
			cuts = append(cuts, p.lines[i])
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var pieces []string
	from := 0
	for _, at := range cuts {
		pieces = append(pieces, p.text[from:at])
		from = p.lineEnd(int(at))
		for from < len(p.text) && p.text[from] == '^' {
			from = p.lineEnd(from)
		}
	}
	return append(pieces, p.text[from:])
}

// lineEnd returns where the line after that at at begins.
func (p *packed) lineEnd(at int) int {
	return at + strings.IndexByte(p.text[at:], '\n') + 1
}
