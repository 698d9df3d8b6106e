package console

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"duyet/comments"
	"duyet/moderation"
)

type decisionsInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Lang        string `query:"lang" enum:"vi,en" doc:"Language of messages; else Accept-Language"`
	RawBody     []byte `contentType:"application/json"`
}

// decisionsBody is what the body of a request holds.
type decisionsBody struct {
	Decisions []apiDecision `json:"decisions" required:"true" maxItems:"1000"`
}

type apiDecision struct {
	ID      string  `json:"id" required:"true"`
	Action  string  `json:"action" required:"true" enum:"approve,reject,spam,trash,restore,undo,keep,uphold" doc:"keep: what readers see stays, reports are closed and an edit is refused; uphold: an appeal is heard and the rejection stands"`
	Version *uint64 `json:"version,omitempty" doc:"Counts only if the comment still has it; without, only from pending"`
	Reason  string  `json:"reason,omitempty" doc:"A code of the site's list; anything else is kept as typed"`
	Note    string  `json:"note,omitempty" doc:"For other moderators"`
	Tell    bool    `json:"tell,omitempty" doc:"A typed reason is for the author to read; a code of the list always is"`
}

type decisionsOutput struct {
	Body struct {
		Results []apiResult `json:"results" doc:"In the order asked"`
	}
}

// apiResult is what became of one decision: status and version, or error.
type apiResult struct {
	ID      string          `json:"id"`
	Status  string          `json:"status,omitempty"`
	Version uint64          `json:"version,omitempty"`
	Error   *apiResultError `json:"error,omitempty"`
}

type apiResultError struct {
	Code    string     `json:"code" enum:"conflict,not_found,forbidden"`
	Message string     `json:"message"`
	By      string     `json:"by,omitempty" doc:"Who decided before: a moderator's e-mail, or reader, operator or system"`
	At      *time.Time `json:"at,omitempty"`
	Status  string     `json:"status,omitempty" doc:"As the comment stands"`
	Version uint64     `json:"version,omitempty" doc:"As the comment stands"`
}

func (c *Console) registerDecisions() {
	op := operation("moderation-decisions", http.MethodPost, "/decisions", "Decide on up to 1,000 comments",
		http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	op.MaxBodyBytes = bodyMost + 1 // huma refuses a body of exactly this size
	huma.Register(c.cfg.API, op, c.decideByAPI)

	// The handler reads the body itself, so that each fault has its place and its code; the
	// document still says what it holds.
	doc := c.cfg.API.OpenAPI()
	if item := doc.Paths[op.Path]; item != nil && item.Post != nil && item.Post.RequestBody != nil {
		schema := doc.Components.Schemas.Schema(reflect.TypeFor[decisionsBody](), true, "Decisions")
		item.Post.RequestBody.Content = map[string]*huma.MediaType{"application/json": {Schema: schema}}
	}
}

func (c *Console) decideByAPI(ctx context.Context, in *decisionsInput) (*decisionsOutput, error) {
	who, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}
	decisions, err := in.decisions()
	if err != nil {
		return nil, err
	}
	results, err := c.cfg.Service.Decide(ctx, who.who, decisions)
	if err != nil {
		return nil, err
	}
	names, err := c.cfg.Service.Names(ctx)
	if err != nil {
		return nil, err
	}
	out := &decisionsOutput{}
	out.Body.Results = make([]apiResult, len(results))
	for i, r := range results {
		if out.Body.Results[i], err = newResult(who, names, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// decisions reads the body. Errors: ErrUnsupportedMedia, ErrMalformed for what is no JSON
// or not UTF-8, an InvalidError for a value of a wrong type.
func (in *decisionsInput) decisions() ([]moderation.Decision, error) {
	if in.ContentType != "" {
		kind, _, err := mime.ParseMediaType(in.ContentType)
		if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
			return nil, comments.ErrUnsupportedMedia
		}
	}
	var body decisionsBody
	if err := json.Unmarshal(in.RawBody, &body); err != nil {
		var wrong *json.SemanticError
		if errors.As(err, &wrong) {
			return nil, comments.Invalid(location(string(wrong.JSONPointer)), comments.CodeWrongType)
		}
		return nil, fmt.Errorf("%w: %w", comments.ErrMalformed, err)
	}
	if body.Decisions == nil {
		return nil, comments.Invalid("decisions", comments.CodeRequired)
	}
	list := make([]moderation.Decision, len(body.Decisions))
	for i, d := range body.Decisions {
		list[i] = moderation.Decision{
			ID: d.ID, Action: moderation.Action(d.Action), Version: d.Version, Reason: d.Reason, Note: d.Note, Tell: d.Tell,
		}
	}
	return list, nil
}

// location turns the JSON pointer /decisions/0/action into decisions[0].action. The whole
// body is what it should have held.
func location(pointer string) string {
	if pointer == "" {
		return "decisions"
	}
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch {
		case part != "" && strings.Trim(part, "0123456789") == "":
			b.WriteString("[" + part + "]")
		case b.Len() > 0:
			b.WriteString("." + part)
		default:
			b.WriteString(part)
		}
	}
	return b.String()
}

func newResult(who caller, names map[string]string, r moderation.Result) (apiResult, error) {
	var lost *moderation.ConflictError
	switch {
	case r.Err == nil:
		return apiResult{ID: r.ID, Status: string(r.Status), Version: r.Version}, nil
	case errors.As(r.Err, &lost):
		at := lost.At.UTC()
		return apiResult{ID: r.ID, Error: &apiResultError{
			Code: "conflict", By: known(names, lost.By), At: &at, Status: string(lost.Status), Version: lost.Version,
			Message: who.l.Say("conflict."+string(lost.Status), "Who", actorIn(who.l, names, lost.By), "At", who.l.Time(at)),
		}}, nil
	case errors.Is(r.Err, comments.ErrNotFound):
		return apiResult{ID: r.ID, Error: &apiResultError{Code: "not_found", Message: who.l.Say("decision.not_found")}}, nil
	case errors.Is(r.Err, comments.ErrForbidden):
		return apiResult{ID: r.ID, Error: &apiResultError{Code: "forbidden", Message: who.l.Say("problem.forbidden")}}, nil
	}
	return apiResult{}, r.Err
}
