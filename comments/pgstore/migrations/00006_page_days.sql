-- +goose Up

-- How many standing comments each page got on each day of their writing (of UTC, counted
-- from 1970-01-01), so that the most discussed pages of a period are found by reading a row
-- for each page and day.
CREATE TABLE page_days (
    site     text COLLATE "C" NOT NULL,
    day      integer NOT NULL,
    page     uuid NOT NULL,
    standing bigint NOT NULL,
    PRIMARY KEY (site, day, page)
) WITH (fillfactor = 70);

INSERT INTO page_days (site, day, page, standing)
    SELECT site, (created_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01', page, count(*)
    FROM comments WHERE status = 'approved' OR status = 'pending' AND public IS NOT NULL
    GROUP BY 1, 2, 3;

-- +goose Down
DROP TABLE page_days;
