package githubtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/datakit/datakit/github"
)

// An App is a GitHub App that is installed once.
type App struct {
	ID           int64
	Installation int64
	Key          *rsa.PublicKey
	Life         time.Duration // of the tokens; 0 means an hour
}

// RevokeTokens ends the tokens that were made for the App.
func (s *Server) RevokeTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.minted)
}

// authorized reports whether the request carries a token that is valid.
func (s *Server) authorized(q *query) bool {
	_, token, _ := strings.Cut(q.r.Header.Get("Authorization"), " ")
	if q.op == github.OpMakeToken {
		return s.App.signed(token)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if end, ok := s.minted[token]; ok {
		return time.Now().Before(end)
	}
	return token == s.Token || s.Token == "" && s.App == nil
}

// makeToken answers the request for the token of an installation.
func (s *Server) makeToken(q *query) answer {
	if q.r.PathValue("id") != strconv.FormatInt(s.App.Installation, 10) {
		return refuse(http.StatusNotFound, "Not Found")
	}
	life := s.App.Life
	if life == 0 {
		life = time.Hour
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := fmt.Sprintf("ghs_%032d", len(s.minted)+1)
	end := time.Now().Add(life)
	s.minted[token] = end
	return answer{status: http.StatusCreated, body: map[string]any{
		"token": token, "expires_at": end.UTC().Format(time.RFC3339),
	}}
}

// signed reports whether token is a JSON web token of the App that is valid now
// and for at most 10 minutes, as GitHub demands.
func (a *App) signed(token string) bool {
	parts := strings.Split(token, ".")
	if a == nil || len(parts) != 3 {
		return false
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(a.Key, crypto.SHA256, sum[:], sig) != nil {
		return false
	}
	var claims struct {
		Issuer string `json:"iss"`
		IAT    int64  `json:"iat"`
		EXP    int64  `json:"exp"`
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(data, &claims) != nil {
		return false
	}
	now := time.Now().Unix()
	return claims.Issuer == strconv.FormatInt(a.ID, 10) && claims.IAT <= now && now < claims.EXP && claims.EXP-now <= 600
}
