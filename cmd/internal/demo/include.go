package demo

import (
	"bytes"
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

// Latest is one of the latest comments, as the service's JSON tells it.
type Latest struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Title     string    `json:"title"`
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
	Page      struct {
		Title string `json:"title"`
		URL   string `json:"url"`
	} `json:"page"`
	Lang string `json:"-"` // of the article it stands under
}

// latest asks for the latest comments. Without an answer the page goes out without them.
func (s *Site) latest(ctx context.Context) []Latest {
	body, err := s.fetch(ctx, s.service.String()+"/api/v1/sites/"+s.id+"/latest?limit=5")
	if err != nil {
		s.log.Warn("the latest comments could not be read", "err", err)
		return nil
	}
	var answer struct {
		Comments []Latest `json:"comments"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		s.log.Warn("the latest comments could not be read", "err", err)
		return nil
	}
	for i, c := range answer.Comments {
		for _, a := range s.articles {
			if c.Page.URL == s.PageURL(a) {
				answer.Comments[i].Lang = a.Lang
			}
		}
	}
	return answer.Comments
}

// counts asks how many comments the articles have, in their order; nil without an answer.
func (s *Site) counts(ctx context.Context) []int64 {
	pages := url.Values{}
	for _, a := range s.articles {
		pages.Add("page", s.PageURL(a))
	}
	body, err := s.fetch(ctx, s.service.String()+"/api/v1/sites/"+s.id+"/counts?"+pages.Encode())
	if err != nil {
		return nil
	}
	var answer struct {
		Counts []struct {
			Count int64 `json:"count"`
		} `json:"counts"`
	}
	if json.NewDecoder(bytes.NewReader(body)).Decode(&answer) != nil || len(answer.Counts) != len(s.articles) {
		return nil
	}
	out := make([]int64, len(s.articles))
	for i, c := range answer.Counts {
		out[i] = c.Count
	}
	return out
}
