package api

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	gogithub "github.com/google/go-github/v93/github"

	"github.com/datakit/datakit/github/token"
)

// An App is an installation of a GitHub App, which makes tokens for itself that
// last an hour.
type App struct {
	ID           int64
	Installation int64
	Key          *rsa.PrivateKey // see ReadKey
}

// maxKey is the size of the largest file of a key, in bytes.
const maxKey = 1 << 20

// ReadKey reads the private key of a GitHub App from the PEM file that GitHub
// made, and closes that to others as token.Protect does. Errors do not quote it.
func ReadKey(file string) (*rsa.PrivateKey, error) {
	const op = "read the key of the GitHub App"
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKey))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if err := token.Protect(op, f); err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, invalid("%s holds no private key in PEM format, such as GitHub makes in the settings of an App", file)
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if rsaKey, ok := key.(*rsa.PrivateKey); err == nil && ok {
		return rsaKey, nil
	}
	return nil, invalid("%s holds no RSA private key, such as GitHub makes in the settings of an App", file)
}

// An auth has the token for the next request.
type auth interface {
	// token returns it; making one may take a request.
	token(ctx context.Context) (token.Secret, error)
	// renew forgets a token that GitHub has refused, and reports whether another
	// one can be had.
	renew(ctx context.Context, t token.Secret) bool
}

// newAuth returns the auth of a configuration. It tells hide each secret before it
// is sent.
func newAuth(cfg Config, gh *gogithub.Client, hide func(token.Secret)) (auth, error) {
	if cfg.App == nil {
		return personal{cfg.Token}, nil
	}
	if cfg.App.Key == nil || cfg.App.ID <= 0 || cfg.App.Installation <= 0 {
		return nil, invalid("a GitHub App needs its number, the number of an installation and a private key")
	}
	return &installation{app: *cfg.App, gh: gh, timeout: cfg.Timeout, hide: hide, turn: make(chan struct{}, 1)}, nil
}

// A personal token is the only one there is.
type personal struct{ t token.Secret }

func (p personal) token(context.Context) (token.Secret, error) { return p.t, nil }
func (p personal) renew(context.Context, token.Secret) bool    { return false }

// earlier is how long before its end a token of an installation is replaced.
const earlier = time.Minute

// An installation makes tokens when they are needed.
type installation struct {
	app     App
	gh      *gogithub.Client
	timeout time.Duration
	hide    func(token.Secret)

	turn    chan struct{} // has a value while a goroutine reads or changes what follows
	current token.Secret
	end     time.Time
}

func (in *installation) token(ctx context.Context) (token.Secret, error) {
	select {
	case in.turn <- struct{}{}:
	case <-ctx.Done():
		return token.Secret{}, ctx.Err()
	}
	defer func() { <-in.turn }()
	if !in.current.IsZero() && time.Now().Add(earlier).Before(in.end) {
		return in.current, nil
	}
	made, err := in.make(ctx)
	if err != nil {
		return token.Secret{}, err
	}
	in.current, in.end = token.NewSecret(made.Token), made.ExpiresAt
	in.hide(in.current)
	return in.current, nil
}

func (in *installation) renew(ctx context.Context, t token.Secret) bool {
	select {
	case in.turn <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-in.turn }()
	if in.current == t {
		in.current = token.Secret{}
	}
	return true
}

// madeToken is GitHub's answer to the request for a token.
type madeToken struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

// make asks GitHub for a token.
func (in *installation) make(ctx context.Context) (t madeToken, err error) {
	claim, err := in.app.claim(time.Now())
	if err != nil {
		return t, err
	}
	in.hide(claim)
	ctx, cancel := context.WithTimeout(withToken(ctx, claim), in.timeout)
	defer cancel()
	path := "app/installations/" + strconv.FormatInt(in.app.Installation, 10) + "/access_tokens"
	req, err := in.gh.NewRequest(ctx, http.MethodPost, path, nil)
	if err != nil {
		return t, err
	}
	if _, err = in.gh.Do(req, &t); err == nil && t.Token == "" {
		err = errors.New("GitHub made an empty token")
	}
	return t, err
}

// claim returns the JSON web token with which the App identifies itself, valid
// from a minute ago, since clocks differ, for less than the 10 minutes that
// GitHub allows.
func (a App) claim(now time.Time) (token.Secret, error) {
	body, err := json.Marshal(map[string]any{
		"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(8 * time.Minute).Unix(), "iss": strconv.FormatInt(a.ID, 10),
	})
	if err != nil {
		return token.Secret{}, err
	}
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, a.Key, crypto.SHA256, sum[:])
	if err != nil {
		return token.Secret{}, fmt.Errorf("sign with the key of the GitHub App: %w", err)
	}
	return token.NewSecret(text + "." + enc.EncodeToString(sig)), nil
}
