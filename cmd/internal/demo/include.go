package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// includeTag is how the demo's pages ask for a part that the comment service answers, as
// servers with Edge Side Includes do. Templates escape every "<" that isn't their own, so
// no reader's words can make one.
var includeTag = regexp.MustCompile(`<esi:include src="([^"]*)"></esi:include>`)

// answerMost bounds what is taken from the service for one part.
const answerMost = 4 << 20

// askWithin is how long a page waits for the service.
const askWithin = 3 * time.Second

// include puts the parts a page asks for in their places. A part that can't be had becomes
// an apology: the article goes out all the same.
func (s *Site) include(ctx context.Context, page []byte, apology string) []byte {
	return includeTag.ReplaceAllFunc(page, func(tag []byte) []byte {
		address := html.UnescapeString(string(includeTag.FindSubmatch(tag)[1]))
		if !strings.HasPrefix(address, s.service.String()+"/s/") {
			return nil
		}
		part, err := s.fetch(ctx, address)
		if err != nil {
			s.log.Warn("the comments could not be included", "err", err)
			if !strings.Contains(address, "/fragment?") {
				return nil
			}
			return []byte(`<p class="host-hint">` + html.EscapeString(apology) + `</p>`)
		}
		return part
	})
}

// fetch reads an address of the service.
func (s *Site) fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", req.URL.Path, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, answerMost))
}

// numbers asks for the counts or the views of all articles, in their order; zeros without
// an answer.
func (s *Site) numbers(ctx context.Context, what string) []int64 {
	pages := url.Values{}
	for _, a := range s.articles {
		pages.Add("page", s.PageURL(a))
	}
	out := make([]int64, len(s.articles))
	body, err := s.fetch(ctx, s.service.String()+"/api/v1/sites/"+s.id+"/"+what+"?"+pages.Encode())
	if err != nil {
		s.log.Warn("the service was not to be asked", "what", what, "err", err)
		return out
	}
	var answer map[string][]struct{ Count, Views int64 }
	if json.Unmarshal(body, &answer) != nil || len(answer[what]) != len(s.articles) {
		return out
	}
	for i, one := range answer[what] {
		out[i] = one.Count + one.Views // one of them is there
	}
	return out
}
