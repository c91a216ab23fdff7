// Package wandb asks Weights & Biases whom a key belongs to.
package wandb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/kubectl-summarizer/kubectl-summarizer/internal/web"
)

// Public is the server of Weights & Biases itself.
const Public = "https://api.wandb.ai"

// maxAnswer is the size of the largest answer that is read.
const maxAnswer = 1 << 20

// ErrKey says that the server does not know the key.
var ErrKey = errors.New("the key is not valid")

// Client asks one server.
type Client struct {
	// Endpoint is the server's address without a slash at its end.
	Endpoint string
	// HTTP must not carry a key to another host; web.NewHTTP does not.
	HTTP *http.Client
}

// Viewer returns the account that a key belongs to, or ErrKey.
func (c *Client) Viewer(ctx context.Context, key string) (string, error) {
	const query = `{"query":"query Viewer { viewer { username entity } }"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/graphql", strings.NewReader(query))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth("api", key)
	response, err := c.HTTP.Do(request)
	if err != nil {
		return "", web.Explain(err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return "", ErrKey
	default:
		return "", fmt.Errorf("%s answered %d", c.Endpoint, response.StatusCode)
	}
	var answer struct {
		Data struct {
			Viewer *struct{ Username, Entity string }
		}
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&answer); err != nil {
		return "", fmt.Errorf("%s does not answer as Weights & Biases does: %w", c.Endpoint, err)
	}
	// Some servers let an unknown key in, as nobody.
	if answer.Data.Viewer == nil {
		return "", ErrKey
	}
	if answer.Data.Viewer.Username != "" {
		return answer.Data.Viewer.Username, nil
	}
	return answer.Data.Viewer.Entity, nil
}
