package hub

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxConfig is above any model's config.json.
const maxConfig = 4 << 20

// Config fetches a model's config.json at a revision. The error is a *Refusal when the Hub says no.
func (c *Client) Config(ctx context.Context, token, id, revision string) ([]byte, error) {
	response, err := c.ask(ctx, http.MethodGet, "/"+id+"/resolve/"+url.PathEscape(revision)+"/config.json", token)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, refusalOf(response)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxConfig+1))
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("config.json of %s has more than %d MiB: this is no model's configuration", id, maxConfig>>20)
	}
	return data, err
}
