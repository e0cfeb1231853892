package api_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/github/token"
)

func newSecret(text string) token.Secret { return token.NewSecret(text) }

// at returns a client with the token at another URL.
func (e *env) at(t *testing.T, url string) *api.Client {
	t.Helper()
	c, err := api.New(api.Config{BaseURL: url, Token: newSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	c.SetPause(e.pause)
	t.Cleanup(c.Close)
	return c
}

// appKey is made once, as that takes a while.
var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// startApp is start with a GitHub App.
func startApp(t *testing.T, life time.Duration, change func(*api.App)) *env {
	return start(t, func(e *env, cfg *api.Config, h http.Handler) http.Handler {
		cfg.Token = token.Secret{}
		cfg.App = &api.App{ID: 12, Installation: 345, Key: appKey()}
		e.server.App = &githubtest.App{ID: 12, Installation: 345, Key: &appKey().PublicKey, Life: life}
		if change != nil {
			change(cfg.App)
		}
		return h
	})
}

// tokensMade counts the requests for tokens since the last call.
func (e *env) tokensMade() (n int) {
	for _, r := range e.requests() {
		if strings.HasPrefix(r, "POST /app/installations/345/access_tokens") {
			n++
		}
	}
	return n
}

func TestGH189_AppInstallation(t *testing.T) {
	t.Parallel()
	e := startApp(t, time.Hour, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if ok, err := e.RepoExists(t.Context(), repo); !ok || err != nil {
				t.Errorf("RepoExists = %v, %v", ok, err)
			}
		})
	}
	wg.Wait()
	if n := e.tokensMade(); n != 1 {
		t.Errorf("%d tokens were made, want 1 for all requests", n)
	}
	e.server.RevokeTokens()
	if ok, err := e.RepoExists(t.Context(), repo); !ok || err != nil {
		t.Errorf("after the token was revoked: %v, %v", ok, err)
	}
	if n := e.tokensMade(); n != 1 {
		t.Errorf("%d tokens were made after one was revoked, want 1", n)
	}
}

func TestGH189_AppTokenIsRefreshed(t *testing.T) {
	t.Parallel()
	e := startApp(t, 30*time.Second, nil) // less than what is left when a token is replaced
	for range 3 {
		if ok, err := e.RepoExists(t.Context(), repo); !ok || err != nil {
			t.Errorf("RepoExists = %v, %v", ok, err)
		}
	}
	if n := e.tokensMade(); n != 3 {
		t.Errorf("%d tokens were made, want one for each request", n)
	}
}

// TestAppTokenFails proves that the failure to make a token is never taken for
// what GitHub says about the thing that was asked for.
func TestAppTokenFails(t *testing.T) {
	t.Parallel()
	e := startApp(t, 0, func(a *api.App) { a.Installation = 999 }) // 404
	_, ok, err := e.PR(t.Context(), prID(1))
	var apiErr *github.APIError
	if ok || !errors.As(err, &apiErr) || !apiErr.Temporary || apiErr.Status != 401 || !strings.Contains(err.Error(), "no token for the installation") {
		t.Errorf("PR = %v, %v", ok, err)
	}
	if err := e.Check(t.Context()); !errors.Is(err, api.ErrToken) || !strings.Contains(err.Error(), "the number of the GitHub App") {
		t.Errorf("Check: %v", err)
	}
}

func TestGH198_ReadKey(t *testing.T) {
	t.Parallel()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(appKey())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"pkcs1": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(appKey())}),
		"pkcs8": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		"other": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("hush")}),
		"text":  []byte("hush"),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		key, err := api.ReadKey(file)
		if good := strings.HasPrefix(name, "pkcs"); good != (err == nil) || good && !key.Equal(appKey()) {
			t.Errorf("ReadKey %s: %v", name, err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("after ReadKey %s: %v, %v", name, info.Mode(), err)
		}
		if err != nil && (strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), file)) {
			t.Errorf("ReadKey %s: the error must name the file and not what is in it: %v", name, err)
		}
	}
	for _, name := range []string{"", "none"} { // a directory, and nothing
		if _, err := api.ReadKey(filepath.Join(dir, name)); err == nil {
			t.Errorf("ReadKey reads %q", name)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o007 == 0 {
		t.Errorf("after ReadKey of a directory: %v, %v", info.Mode(), err)
	}
}

func TestGH200_BadToken(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	if err := e.Check(t.Context()); err != nil {
		t.Errorf("Check of a good token: %v", err)
	}
	e.wantRequests(t, "GET /rate_limit")
	e.server.Token = "another"
	err := e.Check(t.Context())
	if !errors.Is(err, api.ErrToken) || !strings.Contains(err.Error(), "401 Bad credentials") ||
		!strings.Contains(err.Error(), "/settings/tokens with the scope repo") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Check of a bad token: %v", err)
	}
}

func TestGH200_Unreachable(t *testing.T) {
	t.Parallel()
	down := httptest.NewServer(nil)
	down.Close()
	e := &env{}
	err := e.at(t, down.URL).Check(t.Context())
	var apiErr *github.APIError
	if !errors.As(err, &apiErr) || !apiErr.Temporary || apiErr.Status != 0 || errors.Is(err, api.ErrToken) ||
		!strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Check of a GitHub that is down: %v", err)
	}
	if len(e.pauses()) != 0 {
		t.Error("Check has waited")
	}
}

func TestCheckWithoutLimits(t *testing.T) {
	t.Parallel()
	e := start(t, func(*env, *api.Config, http.Handler) http.Handler { return http.NotFoundHandler() })
	if err := e.Check(t.Context()); err != nil {
		t.Errorf("Check of a GitHub Enterprise without limits: %v", err)
	}
}

// TestGH201_NoSecretInErrorsAndLogs has a GitHub that repeats in its failures
// whatever it was sent.
func TestGH201_NoSecretInErrorsAndLogs(t *testing.T) {
	t.Parallel()
	const hookSecret = "datakit:hushhook"
	for _, code := range []int{200, 202, 302, 400, 401, 403, 404, 422, 429, 500} {
		e := start(t, func(*env, *api.Config, http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				echo := r.Header.Get("Authorization") + " " + hookSecret
				w.Header().Set("ETag", echo)
				w.Header().Set("Location", "://"+echo)
				w.WriteHeader(code)
				w.Write([]byte(`{"message": "` + echo + `", "errors": [{"message": "` + echo + `"}], "ref": "` + echo + `"}`))
			})
		})
		ctx := t.Context()
		_, err1 := e.CreateHook(ctx, repo, github.Hook{URL: "http://a.example/", Secret: hookSecret})
		_, err4 := e.Statuses(ctx, commit("foo"))
		_, _, err2 := e.Ref(ctx, ref("heads/a", "").ID())
		_, err3 := e.SetStatus(ctx, status("foo", "a", github.Success))
		text := e.logged()
		for _, err := range []error{err1, err2, err3, err4, e.UpdateHook(ctx, repo, github.Hook{Secret: hookSecret}), e.Check(ctx)} {
			if err != nil {
				text += err.Error()
			}
		}
		if strings.Contains(text, "hush") {
			t.Errorf("%d: a secret is in %s", code, text)
		}
	}
}

func TestGH201_NoSecretInConfig(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for _, text := range []string{printed(api.Config{Token: newSecret(secret)}), printed(e.Client)} {
		if strings.Contains(text, "hush") {
			t.Errorf("the token is in %.300s", text)
		}
	}
}

func TestAppTokenWaitsEnd(t *testing.T) {
	t.Parallel()
	e := startApp(t, 0, nil)
	e.world.Inject(githubtest.Fault{Op: github.OpMakeToken, Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for range 3 { // one asks for the token, the others wait for it
		wg.Go(func() {
			if _, err := e.RepoExists(ctx, repo); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("RepoExists: %v", err)
			}
		})
	}
	wg.Wait()
}
