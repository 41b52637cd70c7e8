-- Assessments lie in chunks of a day, so that they are compressed after two to three days, and not after eight to fifteen.

update retention_class set step = interval '1 day' where relation = 'assessment';
