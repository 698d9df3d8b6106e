package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"regexp"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"duyet/comments"
	"duyet/moderation"
)

// deed is something done with a comment beside deciding on it.
type deed[T any] struct {
	ID   string `path:"id"`
	Lang string `query:"lang" enum:"vi,en" doc:"Language of errors; else Accept-Language"`
	Body T
}

type apiCorrection struct {
	Version uint64 `json:"version" doc:"At which the words were seen"`
	Name    string `json:"name"`
	Title   string `json:"title"`
	Text    string `json:"text"`
	Note    string `json:"note,omitempty" doc:"For other moderators"`
}

type apiRedaction struct {
	Version uint64   `json:"version"`
	Texts   []string `json:"texts" maxItems:"100" doc:"Masked wherever they stand in name, title and text"`
	Mask    string   `json:"mask,omitempty" doc:"What stands in their place; else words in the comment's language"`
	Note    string   `json:"note,omitempty"`
}

type apiNote struct {
	Note string `json:"note"`
}

type apiPick struct {
	Version uint64 `json:"version"`
	Pick    bool   `json:"pick" doc:"Whether it is the newsroom's pick"`
}

type apiReply struct {
	Version uint64 `json:"version" doc:"Of what is answered; one that is pending is approved with the answer"`
	Text    string `json:"text"`
	Once    string `json:"once,omitempty" doc:"A name of 16 to 64 letters and digits: repeated with the same words within 24 hours, the answer is one"`
}

type apiAppointment struct {
	Version uint64    `json:"version" doc:"Another one is not published"`
	At      time.Time `json:"at" doc:"Within a year"`
	By      string    `json:"by,omitempty" readOnly:"true" doc:"A moderator's id"`
}

type apiOne struct {
	Comment apiComment `json:"comment"`
}

func (c *Console) registerJudge() {
	s := c.cfg.Service
	op := func(id, method, path, summary string) huma.Operation {
		o := operation("moderation-"+id, method, "/comments/{id}/"+path, summary, http.StatusBadRequest, http.StatusConflict, http.StatusNotFound, http.StatusUnprocessableEntity)
		o.MaxBodyBytes = bodyMost
		return o
	}
	// one answers with the comment as it stands after a deed.
	one := func(ctx context.Context, who caller, done comments.Comment, err error) (out apiOne, _ error) {
		if err != nil {
			return out, err
		}
		view, err := s.Comment(ctx, who.who, string(done.ID))
		if err != nil {
			return out, err
		}
		out.Comment = newComment(who, view.Item)
		return out, nil
	}
	serve(c, op("correct", http.MethodPost, "words", "Put other words in the place of a comment's"), func(ctx context.Context, who caller, in *deed[apiCorrection]) (apiOne, error) {
		b := in.Body
		done, err := s.Correct(ctx, who.who, moderation.Correction{ID: in.ID, Version: b.Version, Note: b.Note, Words: comments.Words{Name: b.Name, Title: b.Title, Content: b.Text}})
		return one(ctx, who, done, err)
	})
	serve(c, op("mask", http.MethodPost, "mask", "Mask stretches of a comment's words"), func(ctx context.Context, who caller, in *deed[apiRedaction]) (apiOne, error) {
		b := in.Body
		if b.Mask == "" {
			b.Mask = who.l.Say("judge.mask")
		}
		done, err := s.Mask(ctx, who.who, moderation.Redaction{ID: in.ID, Version: b.Version, Texts: b.Texts, Mask: b.Mask, Note: b.Note})
		return one(ctx, who, done, err)
	})
	serve(c, op("note", http.MethodPost, "notes", "Leave a note for other moderators"), func(ctx context.Context, who caller, in *deed[apiNote]) (apiOne, error) {
		done, err := s.NoteOn(ctx, who.who, in.ID, in.Body.Note)
		return one(ctx, who, done, err)
	})
	serve(c, op("pick", http.MethodPost, "pick", "Make a comment the newsroom's pick, or no longer"), func(ctx context.Context, who caller, in *deed[apiPick]) (apiOne, error) {
		done, err := s.PickOut(ctx, who.who, in.ID, in.Body.Version, in.Body.Pick)
		return one(ctx, who, done, err)
	})
	reply := op("reply", http.MethodPost, "replies", "Answer in the newsroom's name")
	reply.DefaultStatus = http.StatusCreated
	serve(c, reply, func(ctx context.Context, who caller, in *deed[apiReply]) (apiOne, error) {
		name, until, err := onceFrom(who.who, in.Body.Once, c.cfg.Now())
		if err != nil {
			return apiOne{}, err
		}
		done, err := s.Answer(ctx, who.who, moderation.Reply{ID: in.ID, Version: in.Body.Version, Content: in.Body.Text, Once: name, Until: until})
		return one(ctx, who, done, err)
	})
	serve(c, op("schedule", http.MethodPut, "schedule", "Approve a pending comment at a time"), func(ctx context.Context, who caller, in *deed[apiAppointment]) (apiAppointment, error) {
		set, err := s.Schedule(ctx, who.who, in.ID, in.Body.Version, in.Body.At)
		return apiAppointment{set.Version, set.At, set.By}, err
	})
	clear := op("unschedule", http.MethodDelete, "schedule", "Take the time back at which a comment was to be approved")
	clear.DefaultStatus = http.StatusNoContent
	huma.Register(c.cfg.API, clear, func(ctx context.Context, in *commentInput) (*struct{}, error) {
		who, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}
		return nil, s.Unschedule(ctx, who.who, in.ID)
	})
}

// onceName is the shape of the name under which an answer is one however often it is sent.
var onceName = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)

// onceFrom makes of a caller's name for an answer what the store knows it by; without one
// each call is an answer of its own.
func onceFrom(who moderation.Moderator, name string, now time.Time) (id comments.TicketID, until time.Time, err error) {
	if name == "" {
		name = rand.Text()
	}
	if !onceName.MatchString(name) {
		return id, until, comments.Invalid("once", comments.CodeWrongType)
	}
	sum := sha256.Sum256([]byte(who.ID + "\x00" + name))
	return comments.TicketID(sum[:len(id)]), now.Add(comments.AnswerFor - time.Minute), nil
}
