module scenes

go 1.22
