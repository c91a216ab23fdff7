// Package web asks servers outside the cluster, so that a token goes to nobody but the server
// that it was meant for.
package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// maxRedirects is how often a server may send the same request on.
const maxRedirects = 5

// NewHTTP returns a client that honours the environment's proxy and follows a redirect only to
// the host that it asked: a token must not be carried to another.
func NewHTTP() *http.Client {
	return &http.Client{CheckRedirect: func(request *http.Request, via []*http.Request) error {
		first := via[0].URL
		if request.URL.Host != first.Host || request.URL.Scheme != first.Scheme || len(via) > maxRedirects {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// Base checks the address of a server and returns it without a slash at its end. A password in
// it is refused: addresses are printed.
func Base(address string) (string, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("it is not an address that begins with https:// or http://")
	case u.User != nil:
		return "", errors.New("it holds a name or a password, and addresses are printed: leave them out")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("it holds more than host and path")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// Reach asks for an address without any token. Every answer will do; the error says why none came.
func Reach(ctx context.Context, client *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return Explain(err)
	}
	return response.Body.Close()
}

// Explain makes one short sentence of why no answer came; an error that is not of the network
// comes back as it is.
func Explain(err error) error {
	var at *url.Error
	if !errors.As(err, &at) {
		return err
	}
	host := at.URL
	if u, parseErr := url.Parse(at.URL); parseErr == nil {
		host = u.Host
	}
	var dns *net.DNSError
	var slow net.Error
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("%s cannot be found by DNS", dns.Name)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return fmt.Errorf("%s does not answer in time", host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s refuses the connection", host)
	}
	return fmt.Errorf("%s: %w", host, at.Err)
}
