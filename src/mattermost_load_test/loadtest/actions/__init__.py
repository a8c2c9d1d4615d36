"""One async function per thing a user does, by subject."""
