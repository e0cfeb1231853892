package githubtest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/datakit/datakit/github"
)

// A Server speaks GitHub's REST API (spec/github.md, section 6.1) over a World:
// pages, conditional requests, rate limits, tokens, and webhooks that are
// delivered to where they point. It obeys the World's latencies and faults,
// where the operations are those of single requests; a fault with the status 0
// breaks the connection.
//
// Make one with NewServer, set the fields, serve it, and Close it at the end.
// Its methods may be called from several goroutines at once.
type Server struct {
	// Token is what requests must carry; "" accepts all.
	Token string

	// App, if not nil, lets a GitHub App make tokens, which are valid beside
	// Token.
	App *App

	// Pad is how many bytes each pull request and each repository in an answer
	// is longer than it needs to be; GitHub's are by some thousand.
	Pad int

	// Intercept, if not nil, is asked before a request is looked at. It answers
	// the request itself and returns true, or leaves it alone.
	Intercept func(op string, w http.ResponseWriter, r *http.Request) bool

	world *World
	mux   *http.ServeMux
	send  *sender

	mu       sync.Mutex // guards what follows; taken after the World's, if both are
	limit    int        // requests in an hour
	used     int
	reset    time.Time // when used becomes 0
	requests map[Request]int
	flight   int
	most     int
	minted   map[string]time.Time // the tokens made for App, and when they end
}

// A Request is a kind of request and how it was answered. Status is 0 if the
// connection was broken, or Intercept has answered.
type Request struct {
	Op     string // one of the github.Op names
	Status int
}

// NewServer returns a server of the world, which allows 5,000 requests an hour.
func NewServer(w *World) *Server {
	s := &Server{
		world: w, mux: http.NewServeMux(), send: newSender(w),
		limit: 5000, reset: time.Now().Add(time.Hour),
		requests: map[Request]int{}, minted: map[string]time.Time{},
	}
	s.routes()
	return s
}

// Close ends the delivery of webhooks and waits for it.
func (s *Server) Close() { s.send.close() }

// Requests returns how many requests were answered since the last
// ResetRequests.
func (s *Server) Requests() map[Request]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

// ResetRequests forgets what Requests and MaxInFlight have counted.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.requests)
	s.most = s.flight
}

// MaxInFlight returns how many requests have been under way at once at most.
func (s *Server) MaxInFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// SetLimit says how many requests may still come until the time of reset, when
// the full number is free again. Those beyond are refused with 403.
func (s *Server) SetLimit(remaining int, reset time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used, s.reset = s.limit-remaining, reset
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// A query is a request under way.
type query struct {
	r       *http.Request
	op      string
	repo    github.Repo
	state   *repository // what GitHub holds of repo
	body    []byte
	subject string // in the form of GH-27
}

// An answer is what a query gets: a status, and a body that becomes JSON unless
// it is nil.
type answer struct {
	status int
	body   any
	link   string // of a page, to the others
}

// handle routes requests of one kind. While h runs the World's lock is held.
func (s *Server) handle(pattern, op string, h func(*query) answer) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		s.enter()
		status := 0
		defer func() { s.leave(Request{op, status}) }() // also when the connection is broken
		if s.Intercept != nil && s.Intercept(op, w, r) {
			return
		}
		s.world.mu.Lock()
		latency := s.world.latency
		s.world.mu.Unlock()
		if pause(r.Context(), latency, op) != nil {
			panic(http.ErrAbortHandler)
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		q := &query{r: r, op: op, body: body, repo: github.Repo{User: r.PathValue("owner"), Name: r.PathValue("repo")}}
		status = s.respond(w, q, s.answer(w.Header(), q, h))
	})
}

// answer checks the token and the limit, obeys the fault, and asks h.
func (s *Server) answer(header http.Header, q *query, h func(*query) answer) answer {
	if !s.authorized(q) {
		return refuse(http.StatusUnauthorized, "Bad credentials")
	}
	if q.op != github.OpCheckToken && !s.spend(header) {
		return refuse(http.StatusForbidden, "API rate limit exceeded")
	}
	s.world.mu.Lock()
	q.subject = q.name()
	fault := s.world.fault(q.op, q.repo, q.subject)
	s.world.mu.Unlock()
	if fault != nil && !fault.Late {
		return fault.respond(q.r, header)
	}
	a := s.ask(q, h)
	if fault != nil {
		return fault.respond(q.r, header)
	}
	return a
}

// ask lets h work on the repository that the query is about.
func (s *Server) ask(q *query, h func(*query) answer) answer {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if q.repo != (github.Repo{}) {
		if q.state = s.world.repos[q.repo]; q.state == nil {
			return refuse(http.StatusNotFound, "Not Found")
		}
	}
	return h(q)
}

// respond fails a request. A connection that is broken is a panic that net/http
// expects.
func (f *Fault) respond(r *http.Request, header http.Header) answer {
	if f.Hang {
		<-r.Context().Done()
	}
	if f.Hang || f.Status == 0 {
		panic(http.ErrAbortHandler)
	}
	if !f.RetryAt.IsZero() {
		header.Set("Retry-After", strconv.Itoa(int(max(1, time.Until(f.RetryAt).Round(time.Second)/time.Second))))
	}
	return refuse(f.Status, f.message())
}

// refuse is a failure in GitHub's words.
func refuse(status int, message string) answer {
	return answer{status: status, body: map[string]any{"message": message, "documentation_url": "https://docs.github.com/rest"}}
}

// respond sends an answer, which is a 304 if the client knows it already, and
// returns its status.
func (s *Server) respond(w http.ResponseWriter, q *query, a answer) int {
	if a.link != "" {
		w.Header().Set("Link", a.link)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return a.status
	}
	data, err := json.Marshal(a.body)
	if err != nil {
		panic(err) // a body is made of maps, lists and texts
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if a.status == http.StatusOK && q.r.Method == http.MethodGet {
		tag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(append([]byte(a.link), data...)))
		w.Header().Set("ETag", tag)
		if slices.Contains(q.r.Header.Values("If-None-Match"), tag) {
			s.refund(w.Header())
			w.WriteHeader(http.StatusNotModified)
			return http.StatusNotModified
		}
	}
	w.WriteHeader(a.status)
	w.Write(data) // a client that is gone is not our concern
	return a.status
}

// enter and leave count a request.
func (s *Server) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight++
	s.most = max(s.most, s.flight)
}

func (s *Server) leave(r Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight--
	s.requests[r]++
}

// spend takes one request of the limit and sets the headers; it reports whether
// one was left.
func (s *Server) spend(h http.Header) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.After(s.reset) {
		s.used, s.reset = 0, now.Add(time.Hour)
	}
	ok := s.used < s.limit
	if ok {
		s.used++
	}
	s.rate(h)
	return ok
}

// refund gives back what spend took, since a 304 is free.
func (s *Server) refund(h http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = max(0, s.used-1)
	s.rate(h)
}

// rate sets the headers of the limit. The lock is held.
func (s *Server) rate(h http.Header) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(s.limit-s.used))
	h.Set("X-RateLimit-Used", strconv.Itoa(s.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(s.reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
}
