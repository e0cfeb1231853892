package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/datakit/datakit/github"
)

const (
	perPage   = 100
	maxPages  = 2000      // of a list: GitHub has none as long
	listBytes = 256 << 20 // of a list, as far as it is kept
	maxETag   = 1024      // bytes
	maxQuery  = 4096      // bytes, of the link to a page
)

// A page is an answer that is kept: the fields that matter, as JSON.
type page struct {
	etag  string // "" for what never changes
	data  []byte
	next  string // the query of the next page of the list; "" if this is the last
	fixed bool
}

func (p page) cost() int { return len(p.etag) + len(p.data) + len(p.next) + 200 } // with its share of a map and a key

// An answer is what was read: v, the query of the next page, and how many bytes
// of JSON the fields of v take.
type answer[T any] struct {
	v    T
	next string
	size int
}

// An expected value knows whether it was there: an empty answer, or null, must
// not pass for an empty list.
type expected[T any] struct {
	v    T
	seen bool
}

// UnmarshalJSON is part of json.Unmarshaler.
func (e *expected[T]) UnmarshalJSON(data []byte) error {
	e.seen = string(data) != "null"
	return json.Unmarshal(data, &e.v)
}

// read reads what is at a path below the base URL: as it is known, if GitHub
// says that it has not changed (GH-168). fixed is for what never changes, which
// is asked for once.
func read[T any](ctx context.Context, c *Client, op string, subject fmt.Stringer, path string, fixed bool) (a answer[T], err error) {
	k := call{op: op, subject: subject, method: http.MethodGet, path: path}
	known, ok := c.kept.Get(path, page.cost)
	if ok && known.fixed {
		return fromPage[T](known)
	}
	k.etag = known.etag
	var got expected[T]
	resp, err := c.send(ctx, k, &got)
	switch {
	case err != nil:
		return a, err
	case resp.StatusCode == http.StatusNotModified:
		return fromPage[T](known)
	case !got.seen:
		return a, c.nonsense(k, "it is empty")
	}
	data, err := json.Marshal(got.v)
	if err != nil {
		return a, err
	}
	p := page{etag: resp.Header.Get("ETag"), data: data, next: nextQuery(resp.Header), fixed: fixed}
	if fixed || p.etag != "" && len(p.etag) <= maxETag {
		c.kept.Replace(path, p, page.cost)
	}
	return answer[T]{got.v, p.next, len(data)}, nil
}

// fromPage returns the answer that was kept.
func fromPage[T any](p page) (a answer[T], err error) {
	a.next, a.size = p.next, len(p.data)
	return a, json.Unmarshal(p.data, &a.v)
}

// pages gives each page of a list to use, to the last one (GH-158). query is
// that of the first page, beside the size.
func pages[T any](ctx context.Context, c *Client, op string, subject fmt.Stringer, path, query string, use func(T) error) error {
	seen := map[string]bool{}
	total := 0
	for next := fmt.Sprintf("%sper_page=%d&page=1", query, perPage); next != ""; {
		if seen[next] || len(seen) == maxPages || len(next) > maxQuery {
			return c.nonsense(call{op: op, subject: subject}, "the list does not end")
		}
		seen[next] = true
		a, err := read[T](ctx, c, op, subject, path+"?"+next, false)
		if err != nil {
			return err
		}
		if total += a.size; total > listBytes {
			return c.nonsense(call{op: op, subject: subject}, "the list is too long")
		}
		if err := use(a.v); err != nil {
			return err
		}
		next = a.next
	}
	return nil
}

// nextQuery returns the query of the link to the next page, "" if there is none.
// Of the link only the query counts: the path is that of the first page, also
// if GitHub is reached through a proxy that it does not know of.
func nextQuery(h http.Header) string {
	for link := range strings.SplitSeq(strings.Join(h.Values("Link"), ","), "<") {
		target, params, ok := strings.Cut(link, ">")
		if !ok || !strings.Contains(params, `rel="next"`) {
			continue
		}
		if _, query, ok := strings.Cut(target, "?"); ok {
			return query
		}
	}
	return ""
}

// exists turns the failure to read something of a repository into "absent", nil,
// if GitHub says that there is no such thing, but has the repository; absence
// is told by a 404 or 410, or by one of the other statuses (GH-159, GH-160).
func (c *Client) exists(ctx context.Context, r github.Repo, err error, others ...int) error {
	if !absent(err) && !hasStatus(err, others...) {
		return err
	}
	ok, repoErr := c.RepoExists(ctx, r)
	if repoErr != nil {
		return repoErr
	}
	if !ok {
		return err // the repository itself is gone
	}
	return nil
}
