"""SQL of shift change: what an account has set (`policies`), runs (`runs`), and what each of them moved (`moves`;
as a person reads it: `listing`)."""
